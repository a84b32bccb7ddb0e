"""Schedulers as processes that are killed and come back late: what was meant meanwhile follows each schedule's policy.

The outages are short and real, because only the log's server knows how late it is. Long ones are tried where time is a
parameter, in `tests/unit/rules/test_catchup.py`.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.aggregates.schedule.events import (
    ScheduleFireMissed,
    ScheduleFireSkipped,
    SchedulePaused,
    ScheduleResumed,
)
from fastflow_events.fact import Fact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.service.clock import utc_now
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, version_stored
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]

POLICIES = ("skip", "latest", "all")
EVERY_S, OUTAGE_S = 1.0, 10.0
LATE_AFTER_S = 1.0


@asynccontextmanager
async def scheduler(url: str, home: Path, *, late_after_s: float) -> AsyncGenerator[None]:
    """A process, killed at the end of the block."""
    own = {
        "FASTFLOW_NATS_URL": url,
        "FASTFLOW_HOME": str(home),
        "FASTFLOW_LATE_AFTER_S": str(late_after_s),
        "FASTFLOW_LOG_LEVEL": "ERROR",
    }
    command = (sys.executable, "-m", "fastflow_scheduler")
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **own}, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def append(log: JetStreamLog, aggregate: str, id: str, *facts: Fact) -> datetime:
    position = (await log.load(aggregate, id)).position
    await log.append(position, facts, cause=CAUSE)
    return utc_now()


async def pipeline(log: JetStreamLog, name: str, policy: str, *, start: datetime) -> None:
    definition = {
        "interval_s": EVERY_S,
        "start": start.isoformat().replace("+00:00", "Z"),
        "catchup": {"policy": policy, "within_s": 3600},
    }
    await append(
        log, "pipeline", name, version_stored(definition=definition), pipeline_discovered(definition=definition)
    )


async def fired(log: JetStreamLog, pipeline: str) -> list[datetime]:
    facts = [r.fact async for r in log.read(subjects.event("run", fact="requested"))]
    asked = [fact.trigger.nominal for fact in facts if isinstance(fact, RunRequested) and fact.pipeline == pipeline]
    return sorted(at for at in asked if at is not None)


async def told(log: JetStreamLog, pipeline: str, kind: type) -> list[datetime]:
    """The instants that facts of this kind tell of."""
    found: list[datetime] = []
    async for recorded in log.read(subjects.of_kind("schedule")):
        fact = recorded.fact
        if isinstance(fact, ScheduleFireMissed | ScheduleFireSkipped) and isinstance(fact, kind):
            instants = [fact.first + timedelta(seconds=n * EVERY_S) for n in range(fact.count)]
            assert instants[-1] == fact.last
            found += instants if fact.pipeline == pipeline else []
    return found


async def settled(log: JetStreamLog, pipeline: str) -> list[datetime]:
    """Every instant of which something is known, each as often as something is."""
    not_fired = await told(log, pipeline, ScheduleFireMissed | ScheduleFireSkipped)  # type: ignore[arg-type]
    return sorted([*await fired(log, pipeline), *not_fired])


def in_a_row(instants: list[datetime]) -> bool:
    """Whether each instant is there exactly once."""
    return instants == [instants[0] + timedelta(seconds=n * EVERY_S) for n in range(len(instants))]


async def test_three_seconds_lose_nothing_under_any_policy(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    for policy in POLICIES:
        await pipeline(jetstream_log, policy, policy, start=utc_now() + timedelta(seconds=1))
    async with scheduler(nats_url, tmp_path, late_after_s=60):
        for policy in POLICIES:
            await eventually(lambda name=policy: fired(jetstream_log, name), within_s=60)  # type: ignore[misc]
    await asyncio.sleep(3)  # the outage
    back = utc_now()
    async with scheduler(nats_url, tmp_path, late_after_s=60):
        for policy in POLICIES:

            async def came_back(name: str = policy) -> bool:
                return max(await fired(jetstream_log, name)) > back

            await eventually(came_back, within_s=60)
    for policy in POLICIES:
        instants = await fired(jetstream_log, policy)
        assert in_a_row(instants), policy
        assert await settled(jetstream_log, policy) == instants


async def test_an_outage_follows_each_schedules_policy_and_a_pause_is_none(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    start = utc_now() + timedelta(seconds=2)
    for name, policy in (*zip(POLICIES, POLICIES, strict=True), ("paused", "all")):
        await pipeline(jetstream_log, name, policy, start=start)
    async with scheduler(nats_url, tmp_path, late_after_s=LATE_AFTER_S):
        for name in (*POLICIES, "paused"):
            await eventually(lambda name=name: fired(jetstream_log, name), within_s=60)  # type: ignore[misc]
    killed = utc_now()
    paused = await append(jetstream_log, "schedule", "paused:default", SchedulePaused(who="ann"))
    await asyncio.sleep(OUTAGE_S / 2)
    resumed = await append(jetstream_log, "schedule", "paused:default", ScheduleResumed(who="ann"))
    await asyncio.sleep(OUTAGE_S / 2)
    back = utc_now()
    meant = [start + timedelta(seconds=n * EVERY_S) for n in range(1 + int((back - start).total_seconds() // EVERY_S))]
    for _ in range(2):  # whoever is killed again repeats nothing
        async with scheduler(nats_url, tmp_path, late_after_s=LATE_AFTER_S):
            for name in (*POLICIES, "paused"):

                async def is_settled(name: str = name) -> bool:
                    return set(meant) <= set(await settled(jetstream_log, name))

                await eventually(is_settled, within_s=60)
    for name in (*POLICIES, "paused"):
        assert in_a_row(await settled(jetstream_log, name)), name
    missed = {at for at in meant if at > killed}
    late = {at for at in missed if at < back - timedelta(seconds=LATE_AFTER_S)}
    assert len(late) >= OUTAGE_S / EVERY_S / 2
    happened = {name: set(await fired(jetstream_log, name)) for name in (*POLICIES, "paused")}
    assert not late & happened["skip"]
    assert happened["latest"] & missed <= {meant[-1]}
    assert len(happened["latest"]) >= 2
    assert late <= happened["all"]
    skipped = set(await told(jetstream_log, "paused", ScheduleFireSkipped))
    assert {at for at in late if paused < at < resumed - timedelta(seconds=EVERY_S)} <= skipped
    assert {at for at in late if at > resumed} <= happened["paused"]
    assert not await told(jetstream_log, "paused", ScheduleFireMissed)
