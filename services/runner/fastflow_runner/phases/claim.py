"""Claim: the fence. Before it nothing of the attempt exists, after it the attempt is ours alone."""

from fastflow_events.aggregates.run.commands import AdoptAttempt, ClaimAttempt, Holder
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.state import HELD, heir_of
from fastflow_events.errors import DomainError, FencedError
from fastflow_events.execute import retry_on_conflict, trusted_state
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded

from fastflow_runner.attempt import AttemptContext, context_of, proof_of
from fastflow_runner.core.claims import OpenClaim
from fastflow_runner.deps import Deps
from fastflow_runner.ports import AttemptRef


async def claim(deps: Deps, dispatch: Recorded, ref: AttemptRef) -> AttemptContext:
    """Claim a dispatched attempt and read what it is about, with one load of its run.

    Raises:
        DomainError: the attempt is somebody else's, cancelled, or over.
        ConcurrencyError: the run keeps changing.
        NewerReleaseError: the run holds facts of a newer release.
        InfrastructureError: the log did not answer.
    """
    command = ClaimAttempt(attempt=ref.attempt, holder=deps.holder, heir=heir_of(proof_of(deps.key, ref, deps.holder)))

    async def attempt() -> AttemptContext:
        history = await deps.log.load("run", ref.run_id)
        facts = run_decider.decide(command, trusted_state(deps.log, run_decider, history))
        if facts:
            await deps.log.append(history.position, facts, cause=dispatch.because())
        return context_of(history, ref, deps.holder.runner)

    return await retry_on_conflict(attempt)


async def take_over(deps: Deps, found: OpenClaim) -> AttemptContext:
    """Become the holder of an open attempt in the place of the one that was found, and of no other.

    Raises:
        FencedError: the attempt is over, or somebody else holds it by now.
        InfrastructureError: the log did not answer.
    """
    ref = found.ref
    mine = heir_of(proof_of(deps.key, ref, deps.holder))
    proof = "" if found.holder.runner == deps.holder.runner else proof_of(deps.key, ref, found.holder)
    command = AdoptAttempt(attempt=ref.attempt, holder=deps.holder, proof=proof, heir=mine)

    async def attempt() -> AttemptContext:
        history = await deps.log.load("run", ref.run_id)
        run = run_decider.fold(history.facts)
        if run.specification is None or run.holder not in (found.holder, deps.holder):
            raise FencedError("somebody else holds the attempt by now", attempt=ref.attempt)
        try:
            facts = run_decider.decide(command, run)
        except FencedError:
            raise
        except DomainError as exc:
            raise FencedError(str(exc), **exc.context) from exc
        if facts:
            await deps.log.append(history.position, facts, cause=history.recorded[-1].because())
        return context_of(history, ref, deps.holder.runner)

    return await retry_on_conflict(attempt, tries=None)


async def still_held(log: EventLog, ref: AttemptRef, me: Holder) -> tuple[str, ...]:
    """Runners that have held the attempt by now, of which `me` is the last.

    Raises:
        FencedError: the attempt is over, or somebody else holds it by now.
        InfrastructureError: the log did not answer.
    """
    history = await log.load("run", ref.run_id)
    run = run_decider.fold(history.facts)
    if run.phase not in HELD or run.attempt != ref.attempt or run.holder != me:
        raise FencedError("somebody else holds the attempt by now, or nobody", attempt=ref.attempt)
    return context_of(history, ref, me.runner).holders
