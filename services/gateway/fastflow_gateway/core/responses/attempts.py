"""The attempts of a run one by one, and what else only its facts tell."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunAttemptFinished,
    RunCancelRequested,
    RunClaimed,
    RunDispatched,
    RunLost,
    RunStarted,
)
from fastflow_events.message import Message
from fastflow_events.recorded import Recorded
from fastflow_events.types import CancelKind, Outcome
from msgspec import Struct
from msgspec.structs import replace


class AttemptResponse(Struct, frozen=True, kw_only=True):
    """One attempt."""

    n: int
    runner: str | None
    """Null while none has taken it."""
    started_at: datetime | None
    """When the script began; null where it never did."""
    finished_at: datetime | None
    outcome: Outcome | None
    exit_code: int | None
    lines: int
    """Of output, once it is over."""
    bytes: int


class CancelResponse(Struct, frozen=True, kw_only=True):
    """Who wanted the run to end."""

    by: str
    why: str
    why_message: Message | None
    """Null for the words of a person."""
    at: datetime
    kind: CancelKind


class Story(Struct, frozen=True, kw_only=True):
    """What no row says of a run."""

    attempts: list[AttemptResponse]
    secrets: dict[str, int]
    cancel: CancelResponse | None
    result: dict[str, Any] | None
    """What the last attempt that is over left as its result."""


def story_of(history: Iterable[Recorded]) -> Story:
    """Read the facts of one run."""
    attempts: dict[int, AttemptResponse] = {}
    secrets: Mapping[str, int] = {}
    cancel = result = None
    for recorded in history:
        fact = recorded.fact
        match fact:
            case RunDispatched():
                secrets = fact.specification.secrets
                attempts.setdefault(fact.attempt, _begun(fact.attempt))
            case RunClaimed() | RunAdopted():
                attempts[fact.attempt] = replace(attempts.get(fact.attempt, _begun(fact.attempt)), runner=fact.runner)
            case RunStarted():
                known = attempts.get(fact.attempt, _begun(fact.attempt))
                attempts[fact.attempt] = replace(known, started_at=fact.started_at)
            case RunAttemptFinished():
                result = fact.result
                attempts[fact.attempt] = replace(
                    attempts.get(fact.attempt, _begun(fact.attempt)),
                    finished_at=fact.finished_at or recorded.at,
                    outcome=fact.outcome,
                    exit_code=fact.exit_code,
                    lines=fact.output_lines,
                    bytes=fact.output_bytes,
                )
            case RunLost():
                known = attempts.get(fact.attempt, _begun(fact.attempt))
                attempts[fact.attempt] = replace(known, finished_at=recorded.at, outcome="lost")
            case RunCancelRequested() if cancel is None:
                cancel = CancelResponse(
                    by=fact.who, why=fact.why, why_message=fact.why_message, at=recorded.at, kind=fact.kind
                )
            case _:
                pass
    return Story(attempts=[*attempts.values()], secrets=dict(secrets), cancel=cancel, result=result)


def _begun(n: int) -> AttemptResponse:
    return AttemptResponse(
        n=n, runner=None, started_at=None, finished_at=None, outcome=None, exit_code=None, lines=0, bytes=0
    )
