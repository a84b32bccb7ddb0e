"""From what the book says to what is appended next."""

import logging
from collections import Counter

from fastflow_events.errors import ConcurrencyError, DomainError, InfrastructureError
from fastflow_events.recorded import Position
from fastflow_events.run.commands import ConcludeRun, DispatchAttempt, RejectRun, RunCommand
from fastflow_events.run.decider import run_decider
from fastflow_events.run.state import UNCLAIMED
from fastflow_rules.admission import Candidate, Capacity, Dispatch, Reject, admit

from fastflow_scheduler.book import IN_HAND, Book, OpenRun
from fastflow_scheduler.deps import Deps

logger = logging.getLogger(__name__)


async def decide(deps: Deps) -> None:
    """Append everything that follows from the book now. Safe to repeat, on any number of replicas."""
    for run_id, command in endings(deps.book):
        await _append(deps, run_id, command)
    leads = deps.leadership.lease is not None and deps.book.seq >= deps.leadership.lease.seq
    queue, capacity = waiting(deps.book), in_use(deps.book, deps.settings.max_concurrent_runs)
    for verdict in admit(queue, deps.book.pipelines, capacity, deps.settings.defaults):
        match verdict:
            case Reject():
                await _append(deps, verdict.run_id, RejectRun(reason=verdict.reason, detail=verdict.detail))
            case Dispatch() if leads and not await _dispatch(deps, verdict):
                return
            case _:
                continue


def endings(book: Book) -> list[tuple[str, RunCommand]]:
    """The runs that are to be concluded: their attempt ended, or they were cancelled and nobody holds them."""
    return [
        (run_id, ConcludeRun())
        for run_id, open_run in book.runs.items()
        if open_run.run.phase == "ended" or (open_run.run.cancelled and open_run.run.phase in UNCLAIMED)
    ]


def waiting(book: Book) -> list[Candidate]:
    """The queue: higher priority first, then who asked first."""
    queued = [(id, r) for id, r in book.runs.items() if r.run.phase == "queued" and not r.run.cancelled]
    queued.sort(key=lambda item: (-item[1].priority, item[1].requested_seq))
    return [
        Candidate(run_id=id, request=r.request, specification=r.run.specification, version=r.version, missing=r.missing)
        for id, r in queued
    ]


def in_use(book: Book, max_running: int) -> Capacity:
    """The places taken, by pipeline; a fold, so a place cannot leak."""
    running = Counter(r.request.pipeline for r in book.runs.values() if r.run.phase in IN_HAND)
    return Capacity(max_running=max_running, running=running)


async def _dispatch(deps: Deps, verdict: Dispatch) -> bool:
    """Append a dispatch under our lease; False when leadership is in doubt."""
    assert deps.leadership.lease is not None
    command = DispatchAttempt(
        pool=deps.settings.default_pool, term=deps.leadership.term, specification=verdict.specification
    )
    try:
        await _append(deps, verdict.run_id, command, guard=deps.leadership.lease)
    except ConcurrencyError:
        deps.leadership.step_down("a newer term stands in the log")
        return False
    except InfrastructureError as exc:
        deps.leadership.step_down(f"it is unknown whether a dispatch was stored: {exc}")
        return False
    return True


async def _append(deps: Deps, run_id: str, command: RunCommand, *, guard: Position | None = None) -> None:
    """Decide on the book's state and append; a run that moved on meanwhile is decided again when the book has it."""
    open_run: OpenRun | None = deps.book.runs.get(run_id)
    if open_run is None or deps.acted.get(run_id, 0) > deps.book.seq:
        return
    try:
        facts = run_decider.decide(command, open_run.run)
        appended = await deps.log.append(open_run.position, facts, cause=open_run.cause, guard=guard)
    except DomainError as exc:
        logger.info("refused: %s", exc, extra={"action": "refused", "run_id": run_id})
        return
    except ConcurrencyError:
        if guard is not None:
            raise
        return
    if appended:
        deps.acted[run_id] = appended[-1].seq
        action = appended[-1].wire_type.split(".")[1]
        logger.info("run %s", action, extra={"action": f"run_{action}", "run_id": run_id})
