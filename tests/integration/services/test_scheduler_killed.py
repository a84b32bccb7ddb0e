"""Schedulers as processes, killed at random, their clocks wrong: each nominal instant has one run, none has none."""

import asyncio
import os
import random
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.aggregates.schedule.events import ScheduleFireMissed, ScheduleFireSkipped
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, version_stored
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300)]

REPLICAS = {"a": -2.0, "b": -1.0, "c": 0.0, "d": 1.0, "e": 2.0}
PIPELINES = 40
FIRES = 1000
KILLS = 8


async def started(url: str, home: Path, name: str) -> Process:
    """One replica with its own home, started again on what the last one left there."""
    own = {
        "FASTFLOW_NATS_URL": url,
        "FASTFLOW_HOME": str(home / name),
        "FASTFLOW_INSTANCE": name,
        "FASTFLOW_LATE_AFTER_S": "3600",  # how slow the machine is does not matter here
        "FASTFLOW_LOG_LEVEL": "ERROR",
    }
    command = (sys.executable, "-m", "fastflow_scheduler.testing.other_clock", str(REPLICAS[name]))
    return await asyncio.create_subprocess_exec(*command, env={**os.environ, **own}, stdout=DEVNULL, stderr=DEVNULL)


async def fired(log: JetStreamLog) -> Counter[tuple[str, datetime]]:
    found: Counter[tuple[str, datetime]] = Counter()
    async for recorded in log.read(subjects.event("run", fact="requested")):
        fact = recorded.fact
        if isinstance(fact, RunRequested) and fact.trigger.nominal is not None:
            found[(fact.pipeline, fact.trigger.nominal)] += 1
    return found


async def test_five_schedulers_killed_at_random_fire_each_instant_once(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    random_bytes = random.Random(7)
    definition = {"cron": "* * * * * *"}
    for n in range(PIPELINES):
        news = [version_stored(definition=definition), pipeline_discovered(definition=definition)]
        await jetstream_log.append(Position(aggregate="pipeline", id=f"p{n}"), news, cause=CAUSE)
    replicas = {name: await started(nats_url, tmp_path, name) for name in REPLICAS}
    kills = 0
    try:
        await eventually(lambda: fired(jetstream_log), within_s=60)
        while len(found := await fired(jetstream_log)) < FIRES or kills < KILLS:
            victim = random_bytes.choice(sorted(replicas))
            replicas[victim].kill()
            await replicas[victim].wait()
            kills += 1
            await asyncio.sleep(random_bytes.uniform(0.1, 0.8))
            replicas[victim] = await started(nats_url, tmp_path, victim)

            async def goes_on(before: int = len(found)) -> bool:
                return len(await fired(jetstream_log)) > before

            await eventually(goes_on, within_s=60)  # a slow machine must not be killed before anything can start
    finally:
        for process in replicas.values():
            process.kill()
            await process.wait()
    assert set(found.values()) == {1}
    for pipeline in {pipeline for pipeline, _ in found}:
        instants = sorted(at for name, at in found if name == pipeline)
        expected = [instants[0] + timedelta(seconds=n) for n in range(len(instants))]
        assert instants == expected, pipeline
    for kind in (ScheduleFireMissed, ScheduleFireSkipped):
        facts = [r async for r in jetstream_log.read(subjects.of_kind("schedule")) if isinstance(r.fact, kind)]
        assert facts == []
