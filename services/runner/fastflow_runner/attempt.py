"""An attempt while this process handles it, and all of them together."""

import asyncio
import hmac
from collections.abc import Awaitable, Iterable
from hashlib import sha256
from typing import TypeVar

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunRequested, RunStarted
from fastflow_events.aggregates.run.judging import holders
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import FastflowError, FencedError
from fastflow_events.recorded import Cause, History
from msgspec import Struct

from fastflow_runner.ports import AttemptRef, Started

T = TypeVar("T")


class CancelledRunError(FastflowError):
    """Somebody asked for the run's end before its user code was started."""

    code = "cancelled"


class AttemptContext(Struct, frozen=True, kw_only=True):
    """What the log says of an attempt."""

    ref: AttemptRef
    specification: Specification
    trigger: str
    """Kind of what asked for the run."""
    cause: Cause
    """Of the facts this runner appends."""
    started: Started | None = None
    """What `run.started` says of this attempt, when it is there."""
    traceparent: str | None = None
    """The trace of whoever asked for the run."""
    cancelled: bool = False
    holders: tuple[str, ...] = ()
    """Runners that have held the attempt, and so may have stored output of it."""


def context_of(history: History, ref: AttemptRef, me: str) -> AttemptContext:
    """Read the attempt in hand out of its run's history, which holds its dispatch; `me` has claimed or adopted it."""
    run = run_decider.fold(history.facts)
    assert run.specification is not None
    trigger = next((fact.trigger.kind for fact in history.facts if isinstance(fact, RunRequested)), "")
    starts = [f for f in history.facts if isinstance(f, RunStarted) and f.attempt == ref.attempt]
    return AttemptContext(
        ref=ref,
        specification=run.specification,
        trigger=trigger,
        cause=history.recorded[-1].because(),
        started=Started(at=starts[-1].started_at, manifest=starts[-1].manifest) if starts else None,
        traceparent=history.recorded[0].cause.traceparent,
        cancelled=run.cancelled is not None,
        holders=tuple(sorted({me, *(who for attempt, who in holders(history.facts) if attempt == ref.attempt)})),
    )


def nonce_of(key: bytes, ref: AttemptRef) -> str:
    """The attempt's nonce; the same after a restart, and a secret to everybody without the key."""
    return hmac.new(key, f"nonce/{ref.name}".encode(), sha256).hexdigest()


def proof_of(key: bytes, ref: AttemptRef, holder: Holder) -> str:
    """What only the runners with the holder's key can show of its claim."""
    claimed = f"heir/{ref.name}/{holder.runner}/{holder.incarnation}"
    return hmac.new(key, claimed.encode(), sha256).hexdigest()


class Signals:
    """Whether an attempt must stop, and why."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        """Somebody asked for the run's end."""
        self.fenced = asyncio.Event()
        """The attempt belongs to somebody else now; weighs more than a cancel."""

    def check(self) -> None:
        """Go on only without a reason to stop.

        Raises:
            CancelledRunError: somebody asked for the run's end.
            FencedError: the attempt belongs to somebody else.
        """
        if self.fenced.is_set():
            raise FencedError("the attempt belongs to another runner")
        if self.cancelled.is_set():
            raise CancelledRunError("somebody asked for the run's end")

    async def unless_stopped(self, work: Awaitable[T]) -> T:
        """The result of `work`, which is given up as soon as there is a reason to stop.

        Raises:
            CancelledRunError: somebody asked for the run's end.
            FencedError: the attempt belongs to somebody else.
        """
        working = asyncio.ensure_future(work)
        stops = [asyncio.ensure_future(event.wait()) for event in (self.cancelled, self.fenced)]
        try:
            self.check()  # before any of it is done
            await asyncio.wait((working, *stops), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            self.check()
            raise AssertionError("unreachable")
        finally:
            for task in (working, *stops):
                task.cancel()
            await asyncio.wait((working, *stops))
            if not working.cancelled():
                working.exception()  # seen, so that nobody reports it as forgotten


class ActiveAttempts:
    """The attempts this process handles now."""

    def __init__(self) -> None:
        self._signals: dict[AttemptRef, Signals] = {}

    def __len__(self) -> int:
        return len(self._signals)

    def __contains__(self, ref: object) -> bool:
        return ref in self._signals

    def refs(self) -> frozenset[AttemptRef]:
        """All of them."""
        return frozenset(self._signals)

    def add(self, ref: AttemptRef) -> Signals:
        """Start to handle an attempt."""
        return self._signals.setdefault(ref, Signals())

    def drop(self, ref: AttemptRef) -> None:
        """It needs no handling any more."""
        self._signals.pop(ref, None)

    def of_run(self, run_id: str) -> Iterable[tuple[AttemptRef, Signals]]:
        """The attempts of one run; more than one only while an old one is cleaned away."""
        return [(ref, signals) for ref, signals in self._signals.items() if ref.run_id == run_id]
