"""What whoever asks for a run may say to its script: the same rule at every door, and once more before it starts. Pure.

| | names that are closed (`reserved.py`) | other variables | params |
|---|---|---|---|
| the pipeline's own files | its own affair, but for ours | yes | – |
| people who operate it: HTTP, CLI | no | yes, as `env` | yes |
| systems and hooks: NATS, webhooks | no | no | yes |
| schedules, chains, backfills | no | no | yes |

The files come out of a reviewed branch and decide about the code anyway. Whoever only asks for a run decides what it is
given, and not what it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from fastflow_events.types import TriggerKind

from fastflow_rules.definition.problem import brief
from fastflow_rules.definition.reserved import Rule, rule_of

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
"""A beginning `_` is where runtimes keep what is theirs: `_JAVA_OPTIONS`, `_PYTHON_SYSCONFIGDATA_NAME`, `_RLD_LIST`."""
NAME_ALLOWED = "a name begins with a letter and has letters, digits and _ only, at most 128 of them"
NO_NUL = "a value of an environment variable cannot hold NUL"
NO_ENV = "env is for people who operate the pipeline; systems and hooks give params"
OPERATED: frozenset[TriggerKind] = frozenset({"http", "cli", "daemon_restart"})
"""Triggers of runs whose variables a person may have given; a restart repeats those of the run before."""


def why_closed(name: str) -> str | None:
    """Why nobody who asks for a run may give a variable of this name, as a sentence; None for an open one."""
    if not NAME.fullmatch(name):
        return NAME_ALLOWED
    rule = rule_of(name)
    return None if rule is None else _sentence(name, rule)


def closed(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names that are closed, each with its sentence."""
    return ((name, why) for name in names if (why := why_closed(name)))


def faults(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables that cannot be given, name and sentence each."""
    for name, value in variables.items():
        if why := why_closed(name) or (NO_NUL if "\0" in value else None):
            yield name, why


def fault_of_request(kind: TriggerKind, env: Mapping[str, str], params: Mapping[str, str]) -> str | None:
    """Why a run is not started with what it was asked for with; None when it may be."""
    if env and kind not in OPERATED:
        return NO_ENV
    return "; ".join(f"{brief(name)}: {why}" for name, why in (*faults(env), *faults(params))) or None


def _sentence(name: str, rule: Rule) -> str:
    match rule.why:
        case "ours":
            return f"{name} is set for every run, and nobody can change it"
        case "code":
            return f"{name} decides which code is executed ({rule.reader}), so only the pipeline's own files can set it"
        case "traffic":
            return f"{name} decides where connections go ({rule.reader}), so only the pipeline's own files can set it"
