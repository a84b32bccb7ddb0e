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

from fastflow_events.message import Statement
from fastflow_events.types import TriggerKind

from fastflow_rules.definition.found import brief
from fastflow_rules.definition.reserved import Rule, rule_of

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
"""A beginning `_` is where runtimes keep what is theirs: `_JAVA_OPTIONS`, `_PYTHON_SYSCONFIGDATA_NAME`, `_RLD_LIST`."""
OPERATED: frozenset[TriggerKind] = frozenset({"http", "cli", "daemon_restart"})
"""Triggers of runs whose variables a person may have given; a restart repeats those of the run before."""


class NameClosed(Statement, frozen=True, tag="closed.name"):
    """No shell could name it either."""

    english = "a name begins with a letter and has letters, digits and _ only, at most 128 of them"


class NoNul(Statement, frozen=True, tag="closed.nul"):
    """The operating system would cut the value there."""

    english = "a value of an environment variable cannot hold NUL"


class NoEnv(Statement, frozen=True, tag="closed.env"):
    """Whoever asks is no person who operates the pipeline."""

    english = "env is for people who operate the pipeline; systems and hooks give params"


class Ours(Statement, frozen=True, tag="closed.ours"):
    """Its name is one of ours."""

    english = "{name} is set for every run, and nobody can change it"
    name: str


class DecidesCode(Statement, frozen=True, tag="closed.decides_code"):
    """Somebody could make the script another one."""

    english = "{name} decides which code is executed ({reader}), so only the pipeline's own files can set it"
    name: str
    reader: str


class DecidesTraffic(Statement, frozen=True, tag="closed.decides_traffic"):
    """Somebody could hear what the script says."""

    english = "{name} decides where connections go ({reader}), so only the pipeline's own files can set it"
    name: str
    reader: str


class OfVariable(Statement, frozen=True, tag="closed.of_variable"):
    """Which of several, and what is wrong with it."""

    english = "{name}: {why}"
    name: str
    why: Statement


def why_closed(name: str) -> Statement | None:
    """Why nobody who asks for a run may give a variable of this name; None for an open one."""
    if not NAME.fullmatch(name):
        return NameClosed()
    rule = rule_of(name)
    return None if rule is None else _sentence(name, rule)


def closed(names: Iterable[str]) -> Iterator[tuple[str, Statement]]:
    """The names that are closed, each with the reason."""
    return ((name, why) for name in names if (why := why_closed(name)))


def faults(variables: Mapping[str, str]) -> Iterator[tuple[str, Statement]]:
    """The variables that cannot be given, name and reason each."""
    for name, value in variables.items():
        if why := why_closed(name) or (NoNul() if "\0" in value else None):
            yield name, why


def fault_of_request(kind: TriggerKind, env: Mapping[str, str], params: Mapping[str, str]) -> tuple[Statement, ...]:
    """Why a run is not started with what it was asked for with; empty when it may be."""
    if env and kind not in OPERATED:
        return (NoEnv(),)
    return tuple(OfVariable(brief(name), why) for name, why in (*faults(env), *faults(params)))


def _sentence(name: str, rule: Rule) -> Statement:
    match rule.why:
        case "ours":
            return Ours(name)
        case "code":
            return DecidesCode(name, rule.reader)
        case "traffic":
            return DecidesTraffic(name, rule.reader)
