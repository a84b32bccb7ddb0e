"""Saying things of an attempt in the log, and reading there: in order, and for as long as it takes."""

import asyncio
import logging

from fastflow_events.aggregates.run.commands import AdoptAttempt, FinishAttempt, ReportAttempt, StartAttempt
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.errors import (
    ConcurrencyError,
    ContractError,
    DomainError,
    FencedError,
    InfrastructureError,
    NewerReleaseError,
)
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.recorded import History, Recorded
from msgspec.structs import replace

from fastflow_runner.attempt import AttemptContext
from fastflow_runner.core.outcome import in_fewer_words
from fastflow_runner.retrying import pauses, retry

logger = logging.getLogger(__name__)


async def record(
    log: EventLog, context: AttemptContext, command: AdoptAttempt | StartAttempt | ReportAttempt | FinishAttempt
) -> list[Recorded]:
    """Append what follows from `command`; while the bus is away this waits, so facts of one attempt keep their order.

    What cannot be written down is not tried for ever: an end is said in fewer words, a report is left out.

    Raises:
        FencedError: the attempt is not ours, or not open, any more, or its run can be trusted no more.
        ContractError: what would have to be said cannot be.
    """
    for pause in pauses():
        try:
            return await execute(log, run_decider, context.ref.run_id, command, cause=context.cause)
        except DomainError as exc:
            raise exc if isinstance(exc, FencedError) else FencedError(str(exc), **exc.context) from exc
        except (ConcurrencyError, NewerReleaseError, InfrastructureError) as exc:
            logger.warning("a fact waits: %s", exc, extra={"action": "fact_waits", "command": type(command).__name__})
            await asyncio.sleep(pause)
        except ContractError as exc:
            logger.error("a fact cannot be written: %s", exc, extra={"action": "fact_unwritable"})  # noqa: TRY400
            if isinstance(command, ReportAttempt):
                return []
            if not isinstance(command, FinishAttempt) or (fewer := in_fewer_words(command.finished)) is None:
                raise
            command = replace(command, finished=fewer)
    raise AssertionError("unreachable")


async def read_history(log: EventLog, aggregate: str, id: str) -> History:
    """Every fact of one aggregate, asked for until the log answers."""
    return await retry(lambda: log.load(aggregate, id), what=f"reading what the log says of {aggregate} {id}")
