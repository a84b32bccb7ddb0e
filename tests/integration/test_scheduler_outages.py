"""Schedulers as processes that are killed and come back late: what was meant meanwhile follows each schedule's policy.

Long outages are lived through by a clock that is set: the first process runs in the past, as the facts do that are
written there, and its successor runs now.
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
from fastflow_events.client import Connection
from fastflow_events.clock import utc_now
from fastflow_events.fact import Fact
from fastflow_events.jetstream_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.run.events import RunRequested
from fastflow_events.schedule.events import ScheduleFireMissed, ScheduleFireSkipped, SchedulePaused, ScheduleResumed
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, version_stored
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]

POLICIES = ("skip", "latest", "all")
LATE_AFTER_S = 5.0
INSTANTS = 9
"""Meant during an outage."""
MINUTES_3, DAYS_3 = 180.0, 3 * 86_400.0


@asynccontextmanager
async def scheduler(url: str, home: Path, *, ago_s: float = 0.0, late_after_s: float) -> AsyncGenerator[None]:
    """A process whose clock is behind, killed at the end of the block."""
    own = {
        "FASTFLOW_NATS_URL": url,
        "FASTFLOW_HOME": str(home),
        "FASTFLOW_CLOCK_OFFSET_S": str(-ago_s),
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


class Past:
    """The log as it is written to some time ago."""

    def __init__(self, nc: Connection, ago_s: float) -> None:
        self.log = JetStreamLog(nc, source="/fastflow/test/1", clock=self.now)
        self._ago = timedelta(seconds=ago_s)

    def now(self) -> datetime:
        return utc_now() - self._ago

    async def append(self, aggregate: str, id: str, *facts: Fact) -> None:
        position = (await self.log.load(aggregate, id)).position
        await self.log.append(position, facts, cause=CAUSE)

    async def pipeline(self, name: str, policy: str, *, every_s: float, start: datetime, within_s: float) -> None:
        definition = {
            "interval_s": every_s,
            "start": start.isoformat().replace("+00:00", "Z"),
            "catchup": {"policy": policy, "within_s": within_s},
        }
        facts = (version_stored(definition=definition), pipeline_discovered(definition=definition))
        await self.log.append(Position(aggregate="pipeline", id=name), facts, cause=CAUSE)


async def fired(log: JetStreamLog, pipeline: str) -> list[datetime]:
    facts = [r.fact async for r in log.read(subjects.event("run", fact="requested"))]
    asked = [fact.trigger.nominal for fact in facts if isinstance(fact, RunRequested) and fact.pipeline == pipeline]
    return sorted(at for at in asked if at is not None)


async def told(log: JetStreamLog, pipeline: str, kind: type, every_s: float) -> list[datetime]:
    """The instants that facts of this kind tell of."""
    found: list[datetime] = []
    async for recorded in log.read(subjects.of_kind("schedule")):
        fact = recorded.fact
        if isinstance(fact, ScheduleFireMissed | ScheduleFireSkipped) and isinstance(fact, kind):
            instants = [fact.first + timedelta(seconds=n * every_s) for n in range(fact.count)]
            assert instants[-1] == fact.last
            found += instants if fact.pipeline == pipeline else []
    return found


async def settled(log: JetStreamLog, pipeline: str, every_s: float) -> list[datetime]:
    """Every instant of which something is known, each as often as something is."""
    not_fired = await told(log, pipeline, ScheduleFireMissed | ScheduleFireSkipped, every_s)  # type: ignore[arg-type]
    return sorted([*await fired(log, pipeline), *not_fired])


def in_a_row(instants: list[datetime], every_s: float) -> bool:
    """Whether each instant is there exactly once."""
    return instants == [instants[0] + timedelta(seconds=n * every_s) for n in range(len(instants))]


async def test_three_seconds_lose_nothing_under_any_policy(
    nats_url: str, jetstream_log: JetStreamLog, nc: Connection, tmp_path: Path
) -> None:
    now = Past(nc, 0)
    for policy in POLICIES:
        await now.pipeline(policy, policy, every_s=1, start=now.now() + timedelta(seconds=1), within_s=3600)
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
        assert in_a_row(instants, 1), policy
        assert await settled(jetstream_log, policy, 1) == instants


@pytest.mark.parametrize("outage_s", [MINUTES_3, DAYS_3], ids=["three minutes", "three days"])
async def test_a_long_outage_follows_each_schedules_policy_and_a_pause_is_none(
    nats_url: str, jetstream_log: JetStreamLog, nc: Connection, tmp_path: Path, outage_s: float
) -> None:
    every_s = outage_s / INSTANTS
    before, midway = Past(nc, outage_s), Past(nc, outage_s / 2)
    start = before.now() + timedelta(seconds=2)
    for name, policy in (*zip(POLICIES, POLICIES, strict=True), ("paused", "all")):
        await before.pipeline(name, policy, every_s=every_s, start=start, within_s=2 * outage_s)
    async with scheduler(nats_url, tmp_path, ago_s=outage_s, late_after_s=LATE_AFTER_S):
        for name in (*POLICIES, "paused"):
            await eventually(lambda name=name: fired(jetstream_log, name), within_s=60)  # type: ignore[misc]
    killed = before.now()
    await before.append("schedule", "paused:default", SchedulePaused(who="ann"))
    paused = before.now()
    await midway.append("schedule", "paused:default", ScheduleResumed(who="ann"))
    resumed = midway.now()
    back = utc_now()
    meant = [start + timedelta(seconds=n * every_s) for n in range(1 + int((back - start).total_seconds() // every_s))]
    for _ in range(2):  # whoever is killed again repeats nothing
        async with scheduler(nats_url, tmp_path, late_after_s=LATE_AFTER_S):
            for name in (*POLICIES, "paused"):

                async def is_settled(name: str = name) -> bool:
                    return set(meant) <= set(await settled(jetstream_log, name, every_s))

                await eventually(is_settled, within_s=60)
    for name in (*POLICIES, "paused"):
        assert in_a_row(await settled(jetstream_log, name, every_s), every_s), name
    missed = {at for at in meant if at > killed}
    late = {at for at in missed if at < back - timedelta(seconds=LATE_AFTER_S)}
    assert len(late) >= INSTANTS / 2
    happened = {name: set(await fired(jetstream_log, name)) for name in (*POLICIES, "paused")}
    assert not late & happened["skip"]
    assert happened["latest"] & missed <= {meant[-1]}
    assert len(happened["latest"]) >= 2
    assert late <= happened["all"]
    skipped = set(await told(jetstream_log, "paused", ScheduleFireSkipped, every_s))
    assert {at for at in late if paused < at < resumed - timedelta(seconds=every_s)} <= skipped
    assert {at for at in late if at > resumed} <= happened["paused"]
    assert not await told(jetstream_log, "paused", ScheduleFireMissed, every_s)
