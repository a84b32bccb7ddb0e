"""How everything stands, on one page."""

from datetime import datetime
from typing import Literal, TypeAlias

from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.message import Message, Statement
from fastflow_rules.outlook import Outlook
from msgspec import Struct

from fastflow_gateway.core.responses.schedules import Pause
from fastflow_gateway.core.responses.statistics import Summary

WarningKind: TypeAlias = Literal[
    "failures", "repository", "runner", "runners", "letters", "fires", "pipeline", "facts", "log"
]


class Warned(Struct, frozen=True, kw_only=True):
    """Something that needs somebody."""

    kind: WarningKind
    about: str
    """Name of the repository, runner or pipeline; empty for what there is once."""
    text: str
    text_message: Message


class Slots(Struct, frozen=True, kw_only=True):
    """Places of all runners that are alive."""

    used: int
    total: int
    runners: int


class Usual(Struct, frozen=True, kw_only=True):
    """How long the last 30 successes with the same run configuration took; null with fewer than five."""

    p50_s: float
    p95_s: float


class RunningNow(Struct, frozen=True, kw_only=True):
    """A run that somebody has in hand."""

    id: str
    pipeline: str
    status: str
    attempt: int
    runner: str | None
    requested_at: datetime
    started_at: datetime | None
    usual: Usual | None
    lines: int | None
    """Lines that it has written; null where nobody knows, and of all but the first twenty."""
    last_line: str | None
    """The newest one, at most 200 characters."""
    unreachable: bool


class FailureOpen(Struct, frozen=True, kw_only=True):
    """Failures of a pipeline with the same error, that no success has followed."""

    pipeline: str
    error: ScriptError | None
    """That of the newest one, as far as it can be read out of its output."""
    reason: str
    reason_message: Message | None
    outcome: str
    run: str
    """The newest one."""
    count: int
    """At most the newest hundred of a pipeline are looked at."""
    first_at: datetime
    last_at: datetime
    commit: str
    """Of the newest one; empty when it had none."""


class WaitingNow(Struct, frozen=True, kw_only=True):
    """A run that waits."""

    id: str
    pipeline: str
    since: datetime
    reason: str
    reason_message: Message | None
    position: int | None
    """Place in the queue, counting from 1; null for one that is not in it."""


class NextFire(Struct, frozen=True, kw_only=True):
    """A fire that is to come."""

    at: datetime
    pipeline: str
    schedule: str


class Room(Struct, frozen=True, kw_only=True):
    """How full log and disk are."""

    log_share: float
    """Of what the log may hold, 0 to 1."""
    disk_free_bytes: int
    outlook: Outlook | None


class Overview(Struct, frozen=True, kw_only=True):
    """How everything stands."""

    now: datetime
    seq: int
    """Stream position up to which the rows hold the facts."""
    health: Literal["fine", "attention"]
    """`fine` only while there is nothing in `warnings` and `failures`."""
    warnings: list[Warned]
    paused: Pause | None
    """Null unless everything is paused."""
    slots: Slots
    by_status: dict[str, int]
    """Open runs."""
    last_24_h: Summary
    running: list[RunningNow]
    """Newest first, at most a hundred."""
    failures: list[FailureOpen]
    """Newest first."""
    waits: list[WaitingNow]
    """First to start first, at most twenty."""
    next: list[NextFire]
    """At most ten."""
    room: Room
    repositories: int
    pipelines: int


def warned(kind: WarningKind, words: Statement, about: str = "") -> Warned:
    """The warning with its code."""
    return Warned(kind=kind, about=about, text=str(words), text_message=words.message)
