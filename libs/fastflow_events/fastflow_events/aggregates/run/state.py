"""What the rules of a run need to know, how facts change it, and whose facts count.

```
absent ─► queued ─► dispatched ─► claimed ─► started ─► ended ─► finished
            ▲  │        │            │          │         │
            │  └► rejected           └──────────┴► ended  └► waiting ─► dispatched
            └─ withdrawn ◄─┘
```
Only the runner that holds an attempt may say anything of it. The log takes what anybody with a runner's key says in
that runner's name; `counts` tells what of it counts, and every fold asks it.
"""

from hashlib import sha256
from typing import Literal, TypeAlias, get_args

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.aggregates.run.endings import RunnerGone
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunArtifactStored,
    RunAttemptFinished,
    RunCancelRequested,
    RunCellFinished,
    RunClaimed,
    RunDispatched,
    RunDispatchWithdrawn,
    RunFact,
    RunFinished,
    RunLost,
    RunOutputTruncated,
    RunRejected,
    RunRequested,
    RunRetryScheduled,
    RunSoftLimitExceeded,
    RunStarted,
)
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.fact import Fact, ForeignFact, UnknownFact, aggregate_name, fact_name
from fastflow_events.message import Message, Statement, beside, retold
from fastflow_events.types import CancelKind, Outcome

Phase: TypeAlias = Literal[
    "absent", "queued", "dispatched", "claimed", "started", "ended", "waiting", "rejected", "finished"
]
UNCLAIMED: frozenset[Phase] = frozenset({"queued", "dispatched", "waiting"})
HELD: frozenset[Phase] = frozenset({"claimed", "started"})
OVER: frozenset[Phase] = frozenset({"rejected", "finished"})
RUNNER_FACTS: tuple[str, ...] = tuple(fact_name(f.type_) for f in get_args(RunFact) if f.scope_field == "runner")
"""Facts that only the runner that holds the attempt may say; their subjects end with its name."""


class Run(Struct, frozen=True, kw_only=True):
    """One run as its rules see it."""

    phase: Phase = "absent"
    attempt: int = 0
    """The attempt in hand, or the last one; 0 before the first dispatch."""
    holder: Holder | None = None
    """Who claimed the attempt in hand."""
    heir: str = ""
    """Hash of what a runner of another name has to show to adopt it; empty: none may."""
    cancelled: CancelKind | None = None
    outcome: Outcome | None = None
    """Of the last attempt that ended."""
    detail: str = ""
    """What is to be said of that."""
    detail_message: Message | None = None
    specification: Specification | None = None
    """Of the first attempt; retries repeat it."""
    told: frozenset[tuple[str, str]] = frozenset()
    """What was reported of the attempt in hand; each is told once."""

    @property
    def why(self) -> Statement | None:
        """What is to be said of how its last attempt ended."""
        return retold(self.detail, self.detail_message) if self.detail else None

    @property
    def next_attempt(self) -> int:
        """The attempt a dispatch would make now; one that was withdrawn is made again."""
        return self.attempt if self.phase == "queued" and self.attempt else self.attempt + 1


def evolve(run: Run, fact: Fact) -> Run:
    """Apply one recorded fact. Never refuses; a dispatch after a cancel or an end is void, and so are lies."""
    return applied(run, fact) if counts(run, fact) else run


def applied(run: Run, fact: Fact) -> Run:
    """The same for a fact that counts."""
    match fact:
        case RunRequested() if run.phase == "absent":
            return replace(run, phase="queued")
        case RunRejected():
            return replace(run, phase="rejected", detail=fact.detail, detail_message=fact.detail_message)
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
            return replace(run, phase=phase, holder=holder, heir=fact.heir)
        case UnknownFact() if is_a_runners(fact) and fact_name(fact.wire_type) == "claimed":
            holder = Holder(runner=fact.scope or "", incarnation="", engine="")
            return replace(run, phase="claimed", holder=holder, heir="") if run.phase == "dispatched" else run
        case RunStarted():
            return replace(run, phase="started")
        case RunAttemptFinished():
            return _ended(run, fact.outcome, fact.detail, fact.detail_message)
        case RunLost():
            gone = RunnerGone(fact.runner)
            return _ended(run, "lost", str(gone), beside(gone))
        case RunRetryScheduled():
            return replace(run, phase="waiting", holder=None)
        case RunCancelRequested():
            return replace(run, cancelled=run.cancelled if run.cancelled == "user" else fact.kind)
        case RunFinished():
            return replace(_ended(run, fact.outcome, fact.detail, fact.detail_message), phase="finished")
        case _:
            about = subject_of_report(fact)
            return replace(run, told=run.told | {about}) if about else run


def _ended(run: Run, outcome: Outcome, detail: str, message: Message | None) -> Run:
    return replace(run, phase="ended", outcome=outcome, detail=detail, detail_message=message)


def counts(run: Run, fact: Fact) -> bool:
    """Whether whoever said this might say it then: of an attempt, only its holder may.

    Who said it is what the subject ends with, which the accounts of the bus prove. So it does not matter whether the
    fact can be read. A claim that cannot be read may be one all the same, so it counts, and nothing is decided on it.
    """
    match fact:
        case RunClaimed():
            return run.phase == "dispatched" and not run.cancelled and fact.attempt == run.attempt
        case RunAdopted():
            return run.phase in HELD and fact.attempt == run.attempt and may_adopt(run, fact)
        case (
            RunStarted()
            | RunAttemptFinished()
            | RunSoftLimitExceeded()
            | RunOutputTruncated()
            | RunCellFinished()
            | RunArtifactStored()
        ):
            return fact.attempt == run.attempt and _is_held_by(run, fact.runner)
        case ForeignFact():
            return False
        case UnknownFact() if is_a_runners(fact):
            may_be_a_claim = fact_name(fact.wire_type) == "claimed" and run.phase == "dispatched"
            return may_be_a_claim or _is_held_by(run, fact.scope)
        case _:
            return True


def may_adopt(run: Run, fact: RunAdopted) -> bool:
    """Whether the attempt may go on with this holder: the same runner, or one that shows what only its neighbours know.

    What is shown stands in the log from then on, so the new holder names the hash of another secret.
    """
    if run.holder is None or run.holder.engine != fact.engine:
        return False
    return run.holder.runner == fact.runner or (bool(run.heir) and heir_of(fact.proof) == run.heir)


def heir_of(proof: str) -> str:
    """The hash that a claim names of a proof."""
    return sha256(proof.encode()).hexdigest()


def is_a_runners(fact: UnknownFact) -> bool:
    """Whether only a runner can have said this, in its own name."""
    about_a_run = aggregate_name(fact.wire_type) == "run"
    return about_a_run and fact.scope is not None and fact_name(fact.wire_type) in RUNNER_FACTS


def _is_held_by(run: Run, runner: str | None) -> bool:
    return run.phase in HELD and run.holder is not None and run.holder.runner == runner


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
