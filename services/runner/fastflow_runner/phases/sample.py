"""Sample: what the attempt uses, about once a second, for as long as it runs; never in its way."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from fastflow_events.aggregates.run.commands import ReportAttempt
from fastflow_events.aggregates.run.events import RunSoftLimitExceeded
from fastflow_events.errors import InfrastructureError
from fastflow_events.output import Sample

from fastflow_runner.attempt import AttemptContext
from fastflow_runner.bus import SampleStore
from fastflow_runner.core.gauge import Gauge
from fastflow_runner.core.usage import Usage
from fastflow_runner.deps import Deps
from fastflow_runner.facts import record
from fastflow_runner.ports import Started
from fastflow_runner.retrying import pauses

logger = logging.getLogger(__name__)

FIRST_AFTER_S = 0.5
"""An attempt that is over sooner costs nothing to measure."""


async def gauge_of(samples: SampleStore, context: AttemptContext, started: Started, *, fresh: bool) -> Gauge:
    """A gauge that knows what was measured before a restart."""
    gauge = Gauge(context.specification.limits, started)
    if not fresh:
        try:
            async for sample in samples.read(context.ref, context.holders):
                gauge.recall(sample)
        except InfrastructureError as exc:
            logger.warning("earlier samples cannot be read: %s", exc, extra={"action": "samples_unread"})
    return gauge


async def measure(deps: Deps, context: AttemptContext, gauge: Gauge) -> None:
    """Store samples until cancelled; where one cannot be had or stored, there is none.

    Raises:
        FencedError: the attempt belongs to somebody else.
    """
    await asyncio.sleep(FIRST_AFTER_S)
    for pause in pauses():
        try:
            async with aclosing(cast(AsyncGenerator[Usage, None], deps.executor.usages(context.ref))) as usages:
                async for usage in usages:
                    if (sample := gauge.read(usage)) is not None:
                        await _tell(deps, context, gauge, sample)
        except InfrastructureError as exc:
            logger.info("not measured: %s", exc, extra={"action": "not_measured"})
        await asyncio.sleep(pause)


async def _tell(deps: Deps, context: AttemptContext, gauge: Gauge, sample: Sample) -> None:
    try:
        await deps.samples.add(context.ref, sample)
    except InfrastructureError as exc:
        logger.info("a sample is lost: %s", exc, extra={"action": "sample_lost"})
    for excess in gauge.excesses(sample):
        report = RunSoftLimitExceeded(
            attempt=context.ref.attempt,
            runner=deps.holder.runner,
            kind=excess.kind,
            limit=excess.limit,
            measured=excess.measured,
        )
        if await record(deps.log, context, ReportAttempt(holder=deps.holder, report=report)):
            logger.warning("a soft limit was passed", extra={"action": "soft_limit_exceeded", "kind": excess.kind})
