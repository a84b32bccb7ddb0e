"""What the runner does with an attempt that comes its way: a new one, one from before a restart, one left behind."""

import asyncio
import logging

from fastflow_events.aggregates.run.commands import FinishAttempt
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.errors import ConcurrencyError, ContractError, DomainError, FencedError, InfrastructureError
from fastflow_events.service import telemetry

from fastflow_runner.attempt import AttemptContext, Signals
from fastflow_runner.bus import Delivery
from fastflow_runner.core.claims import OpenClaim
from fastflow_runner.core.endings import LogSaysWhy
from fastflow_runner.core.outcome import finished, never_ran
from fastflow_runner.core.reconcile import verdict
from fastflow_runner.deps import Deps
from fastflow_runner.facts import read_history, record
from fastflow_runner.phases.claim import claim, take_over
from fastflow_runner.phases.finish import remove
from fastflow_runner.phases.run_attempt import run_attempt
from fastflow_runner.ports import AttemptRef
from fastflow_runner.retrying import retry

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0
UNREADABLE_AFTER_S = 60.0
TRIES = 5


async def take(deps: Deps, delivery: Delivery) -> None:
    """Claim a dispatched attempt and execute it; what is not for us is settled and dropped."""
    fact = delivery.recorded.fact
    ref = AttemptRef(run_id=delivery.recorded.id, attempt=getattr(fact, "attempt", 0))
    with telemetry.bind(run_id=ref.run_id, attempt=ref.attempt):
        if ref in deps.held:
            logger.info("delivered again", extra={"action": "dispatch_dropped", "code": "in-hand"})
            await delivery.settle()
            return
        signals = deps.held.add(ref)
        try:
            context = await claim(deps, delivery.recorded, ref)
            deps.passed("claimed")
            await delivery.settle()
            logger.info("claimed", extra={"action": "attempt_claimed", "pipeline": context.specification.pipeline})
            await _supervise(deps, context, signals, fresh=True)
        except DomainError as exc:
            logger.info("not claimed: %s", exc, extra={"action": "dispatch_dropped", "code": exc.code})
            await delivery.settle()
        except (ConcurrencyError, InfrastructureError) as exc:
            logger.warning("not claimed yet: %s", exc, extra={"action": "dispatch_given_back"})
            await delivery.give_back(RETRY_AFTER_S)
        except ContractError:
            logger.exception("not claimed", extra={"action": "dispatch_unreadable"})
            await delivery.give_back(UNREADABLE_AFTER_S)
        finally:
            deps.held.drop(ref)


async def adopt(deps: Deps, found: OpenClaim) -> None:
    """Go on with an attempt that an earlier incarnation held, or a runner that is gone."""
    ref = found.ref
    with telemetry.bind(run_id=ref.run_id, attempt=ref.attempt):
        signals = deps.held.add(ref)
        try:
            context = await retry(lambda: take_over(deps, found), what="adopting")
            deps.passed("adopted")
            if context.cancelled:
                signals.cancelled.set()
            logger.info("adopted", extra={"action": "attempt_adopted", "from": found.holder.runner})
            await _supervise(deps, context, signals, fresh=False)
        except FencedError as exc:
            logger.info("not adopted: %s", exc, extra={"action": "claim_dropped"})
        finally:
            deps.held.drop(ref)


async def examine(deps: Deps, ref: AttemptRef) -> None:
    """Remove what is left on the engine of an attempt that is over; the log itself says whether it is."""
    with telemetry.bind(run_id=ref.run_id, attempt=ref.attempt):
        history = await read_history(deps.log, "run", ref.run_id)
        run = run_decider.fold(history.facts)
        trusted = not deps.log.doubts.why("run", ref.run_id)
        if trusted and verdict(run, ref, deps.holder) == "keep":
            logger.info("left alone", extra={"action": "orphan_kept", "phase": run.phase})
            return
        logger.info("removing what is left", extra={"action": "orphan_removed", "phase": run.phase})
        await deps.executor.stop(ref, grace_s=0)
        await deps.executor.remove(ref)


async def _supervise(deps: Deps, context: AttemptContext, signals: Signals, *, fresh: bool) -> None:
    """Pursue the attempt; a bug of ours neither ends this service nor leaves the run hanging."""
    for tries in range(1, TRIES + 1):
        try:
            await run_attempt(deps, context, signals, fresh=fresh and tries == 1)
        except Exception:  # the loop is the last line of defence: report, wait, take up what is there
            logger.exception("an attempt went wrong", extra={"action": "attempt_failed", "tries": tries})
            await asyncio.sleep(2.0 ** (tries - 1))
        else:
            return
    try:
        await deps.executor.stop(context.ref, grace_s=0)
        ending = never_ran("infrastructure_error", LogSaysWhy())
        fact = finished(ending, context.ref, runner=deps.holder.runner, lines=0, size_bytes=0, now=deps.clock())
        await record(deps.log, context, FinishAttempt(holder=deps.holder, finished=fact))
    except FencedError as exc:
        logger.warning("fenced: %s", exc, extra={"action": "fenced"})
        return
    await remove(deps.executor, context)
