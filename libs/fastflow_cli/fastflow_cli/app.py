"""The command line: every verb and where it lives."""

from importlib import import_module

from cyclopts import App
from rich.console import Console

from fastflow_cli import exits

HELP = "Just run the script: pipelines from Git, each run in a fresh container, everything a fact."
VERBS = {
    "up": "commands.installing:up",
    "status": "commands.installing:status",
    "down": "commands.installing:down",
    "demo": "commands.demonstrating:demo",
    "doctor": "commands.examining:doctor",
    "run": "commands.running:run",
    "logs": "commands.running:logs",
    "cancel": "commands.running:cancel",
    "runs": "commands.listing:runs",
    "pipelines": "commands.listing:pipelines",
    "queue": "commands.queue:queue",
    "why": "commands.queue:why",
    "prioritise": "commands.queue:prioritise",
    "hurry": "commands.queue:hurry",
    "pause": "commands.queue:pause",
    "resume": "commands.queue:resume",
    "rebuild": "commands.rebuilding:rebuild",
    "validate": "commands.validating:validate",
    "plan": "commands.branching:plan",
    "gc": "commands.collecting:gc",
    "seal": "commands.secrets:seal",
    "subject": "commands.bus:subject",
    "keys": "commands.bus:keys",
    "deploy-streams": "commands.bus:deploy_streams",
}
"""Verb to function."""
SECRET_VERBS = {
    "set": "commands.secrets:set_secret",
    "list": "commands.secrets:list_secrets",
    "remove": "commands.secrets:remove_secret",
    "rotate-key": "commands.secrets:rotate_key",
}
"""What follows `secret`."""


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
    log = App(name="events", help="Everything that happened.", help_epilogue="")
    _command(log, "tail", "commands.events:tail", whole=whole)
    app.command(log)
    secret = App(name="secret", help="What runs get and nobody else sees.", help_epilogue="")
    for name, place in SECRET_VERBS.items():
        _command(secret, name, place, whole=whole)
    app.command(secret)
    return app


def _command(app: App, name: str, place: str, *, whole: bool) -> None:
    path = f"fastflow_cli.{place}"
    module, _, function = path.partition(":")
    if whole:
        app.command(getattr(import_module(module), function), name=name)
    else:
        app.command(path, name=name)
