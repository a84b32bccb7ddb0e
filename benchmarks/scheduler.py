"""Ten thousand schedules and ten thousand waiting runs: lateness, cost per decision, memory, and what history costs."""

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.service.clock import utc_now

from benchmarks.idle import cpu_s, pss_mb
from benchmarks.measure import CannotMeasureError, exactly, percentile, sample
from benchmarks.results import Budget, Figure
from benchmarks.scheduler_bare import bare
from benchmarks.scheduler_stage import DISPATCHED, REQUESTED, Stage, stage, stamp

PIPELINES, EACH = 1000, 10
SCHEDULES = PIPELINES * EACH
MANY = f"{SCHEDULES:,}".replace(",", " ")
ROUND_S = 100.0
"""The spread schedules fire once in this time, one after the other."""
WATCH_S = 20.0
AHEAD_S = 15.0
"""Between a push and its schedules' first instant; the scheduler has read them long before."""
HISTORY, LONGER = 500, 5000
"""Runs that ended before."""
ROUNDS, ADMITTED = 6, 500


async def measure() -> list[Figure]:
    """Firing on time and all at once, then admission, with a history and with one ten times as long."""
    with tempfile.TemporaryDirectory(prefix="fastflow-bench-", ignore_cleanup_errors=True) as name:
        return [*await _lateness(Path(name)), *await _decisions(Path(name))]


async def _lateness(folder: Path) -> list[Figure]:
    """Fires one after the other, a hundred a second, against a loop that sleeps and publishes."""
    async with stage(folder / "spread") as ours:
        start = utc_now() + timedelta(seconds=AHEAD_S)
        await ours.pipelines(_spread(start))
        after, fires = await ours.mark(), int(SCHEDULES / ROUND_S * WATCH_S)
        found = await ours.found(REQUESTED, after=after, count=fires)
        mine = [(stamp(stored) - _nominal(stored.data)).total_seconds() * 1000 for stored in found[:fires]]
        async with bare(ours) as baseline:
            theirs = [late * 1000 for late in await baseline.timed(fires, every_s=ROUND_S / SCHEDULES)]
    return [
        Figure(
            name=f"a fire of {MANY} schedules, spread: late by, p{percent}",
            ours=percentile(mine, percent),
            bare=percentile(theirs, percent),
            unit="ms",
            against="a loop that sleeps until each instant and publishes the fact",
            budget=budget,
        )
        for percent, budget in ((50, None), (99, Budget(20)))
    ]


async def _decisions(folder: Path) -> list[Figure]:
    """Every schedule at one instant, then admission, on two logs in turn."""
    async with (
        stage(folder / "short", history=HISTORY) as short,
        stage(folder / "long", history=LONGER) as long,
        bare(short) as baseline,
    ):
        empty = pss_mb([short.pid])
        fired = [await _herd(ours) for ours in (short, long)]
        published = await baseline.together(SCHEDULES)
        admitted: dict[Stage, list[tuple[float, float]]] = {short: [], long: []}
        alone = []
        for number in range(ROUNDS):
            for ours in (short, long):
                admitted[ours].append(await _admit(ours, (number + 1) * ADMITTED))
            alone.append(await baseline.one_by_one(ADMITTED) / ADMITTED)
        memory = {ours: pss_mb([ours.pid]) for ours in (short, long)}
    figure = Figure(
        name=f"{MANY} schedules at one instant: until the last run is asked for",
        ours=exactly(fired[0][0]),
        bare=exactly(published),
        unit="s",
        against="bare appends of the same facts, 32 under way at once",
        budget=Budget(4),
    )
    per_run = msgspec.structs.replace(
        figure,
        name=f"admission of one of {MANY} waiting runs",
        ours=sample([wall * 1000 for wall, _ in admitted[short]]),
        bare=sample([wall * 1000 for wall in alone]),
        unit="ms",
        against="bare append of the same fact, one after the other",
        budget=Budget(5),
    )
    against = f"the same after {HISTORY} ended runs"
    growth = msgspec.structs.replace(
        figure,
        name=f"processor time per fire, {LONGER} ended runs before",
        ours=exactly(fired[1][1] * 1000),
        bare=exactly(fired[0][1] * 1000),
        unit="ms",
        against=against,
        budget=Budget(1.2),
    )
    return [
        figure,
        per_run,
        growth,
        msgspec.structs.replace(
            growth,
            name=f"processor time per admission, {LONGER} ended runs before",
            ours=sample([cpu * 1000 for _, cpu in admitted[long]]),
            bare=sample([cpu * 1000 for _, cpu in admitted[short]]),
        ),
        msgspec.structs.replace(
            growth,
            name=f"memory, {LONGER} ended runs before (PSS)",
            ours=exactly(memory[long]),
            bare=exactly(memory[short]),
            unit="MB",
        ),
        msgspec.structs.replace(
            growth,
            name=f"memory with {MANY} schedules and as many waiting runs (PSS)",
            ours=exactly(memory[short]),
            bare=exactly(empty),
            unit="MB",
            against="the same process with none of either",
            budget=None,
        ),
    ]


async def _herd(ours: Stage) -> tuple[float, float]:
    """Seconds until every schedule has fired at one instant; processor seconds per fire."""
    instant = utc_now() + timedelta(seconds=AHEAD_S)
    await ours.pipelines(_at_once(instant))
    await ours.decided("herd")
    after, used = await ours.mark(), cpu_s([ours.pid])
    if utc_now() >= instant:
        raise CannotMeasureError(f"{MANY} schedules were not read within {AHEAD_S:g} s")
    found = await ours.found(REQUESTED, after=after, count=SCHEDULES)
    return (stamp(found[-1]) - instant).total_seconds(), (cpu_s([ours.pid]) - used) / SCHEDULES


async def _admit(ours: Stage, slots: int) -> tuple[float, float]:
    """Seconds, and processor seconds, per run that is dispatched when so many more slots come."""
    after, used = await ours.mark(), cpu_s([ours.pid])
    await ours.slots(slots)
    found = await ours.found(DISPATCHED, after=after, count=ADMITTED)
    gaps = [(stamp(later) - stamp(earlier)).total_seconds() for earlier, later in pairwise(found)]
    return sum(gaps) / len(gaps), (cpu_s([ours.pid]) - used) / ADMITTED


def _spread(start: datetime) -> list[tuple[str, dict[str, object]]]:
    """Pipelines whose schedules fire one after the other."""
    step = timedelta(seconds=ROUND_S / SCHEDULES)
    return _pipelines(ROUND_S, [start + number * step for number in range(SCHEDULES)])


def _at_once(instant: datetime) -> list[tuple[str, dict[str, object]]]:
    """Pipelines whose schedules all mean one instant."""
    return _pipelines(86_400.0, [instant] * SCHEDULES)


def _pipelines(interval_s: float, starts: Sequence[datetime]) -> list[tuple[str, dict[str, object]]]:
    found = [
        {"id": f"s{number}", "interval_s": interval_s, "start": at.isoformat().replace("+00:00", "Z")}
        for number, at in enumerate(starts)
    ]
    return [(f"herd-{n}", {"schedules": found[n * EACH : (n + 1) * EACH]}) for n in range(PIPELINES)]


def _nominal(body: bytes) -> datetime:
    found = msgspec.json.decode(body, type=RunRequested).trigger.nominal
    assert found is not None
    return found
