"""What the rules of a run need to know, and how facts change it.

```
absent ─► queued ─► dispatched ─► claimed ─► started ─► ended ─► finished
            ▲  │        │            │          │         │
            │  └► rejected           └──────────┴► ended  └► waiting ─► dispatched
            └─ withdrawn ◄─┘
```
"""

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.fact import Fact
from fastflow_events.run.commands import Holder
from fastflow_events.run.events import (
    RunAdopted,
    RunArtifactStored,
    RunAttemptFinished,
    RunCancelRequested,
    RunCellFinished,
    RunClaimed,
    RunDispatched,
    RunDispatchWithdrawn,
    RunFinished,
    RunLost,
    RunOutputTruncated,
    RunRejected,
    RunRequested,
    RunRetryScheduled,
    RunSoftLimitExceeded,
    RunStarted,
)
from fastflow_events.run.specification import Specification
from fastflow_events.types import CancelKind, Outcome

Phase: TypeAlias = Literal[
    "absent", "queued", "dispatched", "claimed", "started", "ended", "waiting", "rejected", "finished"
]
UNCLAIMED: frozenset[Phase] = frozenset({"queued", "dispatched", "waiting"})
HELD: frozenset[Phase] = frozenset({"claimed", "started"})
OVER: frozenset[Phase] = frozenset({"rejected", "finished"})


class Run(Struct, frozen=True, kw_only=True):
    """One run as its rules see it."""

    phase: Phase = "absent"
    attempt: int = 0
    """The attempt in hand, or the last one; 0 before the first dispatch."""
    holder: Holder | None = None
    """Who claimed the attempt in hand."""
    cancelled: CancelKind | None = None
    outcome: Outcome | None = None
    """Of the last attempt that ended."""
    detail: str = ""
    specification: Specification | None = None
    """Of the first attempt; retries repeat it."""
    told: frozenset[tuple[str, str]] = frozenset()
    """What was reported of the attempt in hand; each is told once."""

    @property
    def next_attempt(self) -> int:
        """The attempt a dispatch would make now; one that was withdrawn is made again."""
        return self.attempt if self.phase == "queued" and self.attempt else self.attempt + 1


def evolve(run: Run, fact: Fact) -> Run:
    """Apply one recorded fact. Never refuses; a dispatch after a cancel or an end is void."""
    match fact:
        case RunRequested() if run.phase == "absent":
            return replace(run, phase="queued")
        case RunRejected():
            return replace(run, phase="rejected", detail=fact.detail)
        case RunDispatched():
            if run.cancelled or run.phase not in ("queued", "waiting") or fact.attempt != run.next_attempt:
                return run
            first = run.specification or fact.specification
            return replace(
                run, phase="dispatched", attempt=fact.attempt, holder=None, specification=first, told=frozenset()
            )
        case RunDispatchWithdrawn() if run.phase == "dispatched":
            return replace(run, phase="queued")
        case RunClaimed() | RunAdopted():
            holder = Holder(runner=fact.runner, incarnation=fact.incarnation, engine=fact.engine)
            phase = "claimed" if isinstance(fact, RunClaimed) else run.phase
            return replace(run, phase=phase, holder=holder)
        case RunStarted():
            return replace(run, phase="started")
        case RunAttemptFinished():
            return replace(run, phase="ended", outcome=fact.outcome, detail=fact.detail)
        case RunLost():
            return replace(run, phase="ended", outcome="lost", detail=f"runner {fact.runner} did not come back")
        case RunRetryScheduled():
            return replace(run, phase="waiting", holder=None)
        case RunCancelRequested():
            return replace(run, cancelled=run.cancelled if run.cancelled == "user" else fact.kind)
        case RunFinished():
            return replace(run, phase="finished", outcome=fact.outcome, detail=fact.detail)
        case _:
            about = subject_of_report(fact)
            return replace(run, told=run.told | {about}) if about else run


def subject_of_report(fact: Fact) -> tuple[str, str] | None:
    """What a fact reports of the attempt in hand, and of which part of it; None when it is no report."""
    match fact:
        case RunSoftLimitExceeded():
            return "soft_limit", fact.kind
        case RunOutputTruncated():
            return "output", ""
        case RunCellFinished():
            return "cell", str(fact.cell)
        case RunArtifactStored():
            return "artifact", fact.path
        case _:
            return None
