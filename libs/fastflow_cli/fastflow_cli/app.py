"""The command line: every verb and where it lives."""

from importlib import import_module

from cyclopts import App
from rich.console import Console

from fastflow_cli import exits

HELP = "Just run the script: pipelines from Git, each run in a fresh container, everything a fact."
VERBS = {
    "up": "commands.installation:up",
    "status": "commands.installation:status",
    "down": "commands.installation:down",
    "demo": "commands.demo:demo",
    "doctor": "commands.doctor:doctor",
    "me": "commands.tokens:me",
    "run": "commands.runs:run",
    "rerun": "commands.runs:rerun",
    "logs": "commands.runs:logs",
    "cancel": "commands.runs:cancel",
    "artifacts": "commands.artifacts:artifacts",
    "changes": "commands.changes:changes",
    "runs": "commands.lists:runs",
    "pipelines": "commands.lists:pipelines",
    "repositories": "commands.repositories:repositories",
    "sync": "commands.repositories:sync",
    "queue": "commands.queue:queue",
    "why": "commands.queue:why",
    "purge": "commands.queue:purge",
    "prioritise": "commands.queue:prioritise",
    "hurry": "commands.queue:hurry",
    "pause": "commands.queue:pause",
    "resume": "commands.queue:resume",
    "rebuild": "commands.rebuild:rebuild",
    "validate": "commands.validate:validate",
    "plan": "commands.plan:plan",
    "gc": "commands.code_gc:gc",
    "seal": "commands.secrets:seal",
    "subject": "commands.bus:subject",
    "run-id": "commands.bus:run_id",
    "keys": "commands.bus:keys",
    "size-store": "commands.bus:size_store",
    "deploy-streams": "commands.bus:deploy_streams",
}
"""Verb to function."""
GROUPS = {
    "events": ("Everything that happened.", {"tail": "commands.events:tail"}),
    "secret": (
        "What runs get and nobody else sees.",
        {
            "set": "commands.secrets:set_secret",
            "list": "commands.secrets:list_secrets",
            "remove": "commands.secrets:remove_secret",
            "rotate-key": "commands.secrets:rotate_key",
        },
    ),
    "token": (
        "What programs come in with.",
        {
            "make": "commands.tokens:make",
            "list": "commands.tokens:list_tokens",
            "revoke": "commands.tokens:revoke",
            "recover": "commands.tokens:recover",
        },
    ),
    "env": (
        "What runs import, installed once.",
        {
            "list": "commands.environments:list_environments",
            "refresh": "commands.environments:refresh",
            "gc": "commands.environments:gc",
            "verify": "commands.environments:verify",
        },
    ),
    "schedules": (
        "When pipelines run by themselves.",
        {
            "list": "commands.schedules:list_schedules",
            "add": "commands.schedules:add",
            "remove": "commands.schedules:remove",
            "pause": "commands.schedules:pause",
            "resume": "commands.schedules:resume",
            "next": "commands.schedules:upcoming",
        },
    ),
    "backfill": (
        "Runs for instants of the past.",
        {
            "preview": "commands.backfills:preview",
            "start": "commands.backfills:start",
            "status": "commands.backfills:status",
            "cancel": "commands.backfills:cancel",
        },
    ),
}
"""Verbs of two words: the first with what it is about, the second to its function."""


def build(console: Console, error_console: Console, *, whole: bool = True) -> App:
    """The command, unstarted.

    Without `whole` a verb's module is imported when it is used, which is faster, but `--help` has no words then.
    """
    app = App(
        name="fastflow",
        help=HELP,
        help_epilogue=exits.table(),
        help_format="markdown",
        version="fastflow 0.1.0",
        console=console,
        error_console=error_console,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        exit_on_error=False,
        print_error=False,
    )
    for name, place in VERBS.items():
        _command(app, name, place, whole=whole)
    for name, (about, verbs) in GROUPS.items():
        group = App(name=name, help=about, help_epilogue="")
        for verb, place in verbs.items():
            _command(group, verb, place, whole=whole)
        app.command(group)
    return app


def _command(app: App, name: str, place: str, *, whole: bool) -> None:
    path = f"fastflow_cli.{place}"
    module, _, function = path.partition(":")
    if whole:
        app.command(getattr(import_module(module), function), name=name)
    else:
        app.command(path, name=name)
