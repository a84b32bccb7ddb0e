"""Export a trace of every run that ends, where somebody said where to; what is not taken keeps nothing waiting."""

import logging
from collections.abc import Awaitable, Callable

from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunFinished, RunRejected
from fastflow_events.errors import InfrastructureError
from fastflow_events.log import EventLog
from fastflow_events.service.tasks import turned

from fastflow_gateway.core.otlp import encode
from fastflow_gateway.core.run_trace import spans_of

logger = logging.getLogger(__name__)

Send = Callable[[bytes], Awaitable[None]]


async def export_traces(log: EventLog, send: Send, *, service: str) -> None:
    """Follow the log from now on until cancelled.

    Traces are the same whoever derives them, so that several gateways export the same spans, which is one trace.
    """
    runs = subjects.of_kind("run")
    after_seq = await log.last_seq()
    turned()
    async for batch in log.follow(runs, after_seq=after_seq):
        spans = []
        for recorded in batch:
            if isinstance(recorded.fact, RunFinished | RunRejected):
                spans += spans_of((await log.load("run", recorded.id)).recorded)
        if spans:
            try:
                await send(encode(spans, service=service))
            except InfrastructureError as exc:
                logger.warning("traces not exported: %s", exc, extra={"action": "traces_not_exported"})
        turned()
