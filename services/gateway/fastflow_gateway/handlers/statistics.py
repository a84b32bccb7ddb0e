"""Statistics: what is asked of the read model, and folded."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastflow_events.instants import later

from fastflow_gateway.core.responses.statistics import (
    DayList,
    FireStats,
    PipelineStats,
    Ranked,
    Summary,
    SummaryResponse,
    Top,
    TopBy,
)
from fastflow_gateway.core.statistics.figures import success_rate
from fastflow_gateway.core.statistics.of_days import DayStats, Sample, days_of_counts, days_of_samples
from fastflow_gateway.core.statistics.of_fires import Fired, counted, told_in
from fastflow_gateway.core.statistics.of_pipeline import points_of, totals_of
from fastflow_gateway.core.statistics.zoned_days import Days, days_of, days_until, minute_of
from fastflow_gateway.core.views.pipelines import file_schedules, tags_of
from fastflow_gateway.core.views.schedules import plan_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import find_pipeline
from fastflow_gateway.ports import ReadModel
from fastflow_gateway.rows.statistics import PipelineUse, Window

SAMPLES = 100_000
"""Runs that percentiles are computed of."""
SAMPLED_DAYS = 92
LOOKED_AT = 20_000
"""Runs whose details are looked at."""
EVERYTHING = 1_000_000


async def of_days(
    deps: Deps, zone: ZoneInfo, *, number: int, first: date | None, pipelines: Sequence[str], tags: Sequence[str]
) -> DayList:
    """What the runs of each day add up to; without a first day the last one is today."""
    days = days_until(zone, deps.clock(), number) if first is None else days_of(zone, first, number)
    names = await _names(deps.rows, pipelines, tags)
    items = await _days(deps.rows, days, names)
    return DayList(items=items, zone=zone.key)


async def of_pipeline(deps: Deps, name: str, zone: ZoneInfo, *, number: int) -> PipelineStats:
    """What the runs of a pipeline add up to.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    row = await find_pipeline(deps, name)
    days = days_until(zone, deps.clock(), number)
    reset = datetime.fromisoformat(row.stats_since) if row.stats_since else None
    since = max(days.days[0].start, reset) if reset else days.days[0].start
    runs = await deps.rows.figures(Window(since, days.end), name, limit=LOOKED_AT + 1)
    earlier = later(since, -(days.end - since).total_seconds())
    before = [] if reset and reset > earlier else await deps.rows.figures(Window(earlier, since), name, limit=LOOKED_AT)
    found = runs[:LOOKED_AT]
    number_of = days.numbering()
    numbers = [number_of(minute_of(datetime.fromisoformat(run.at))) for run in found]
    samples = [
        Sample(number, run.status, run.duration_ms, run.wait_ms)
        for number, run in zip(numbers, found, strict=True)
        if number is not None
    ]
    return PipelineStats(
        pipeline=name,
        since=since,
        until=days.end,
        zone=zone.key,
        complete=len(runs) <= LOOKED_AT,
        totals=totals_of(found, before),
        days=days_of_samples(days, samples),
        runs=points_of(found),
    )


async def summary(deps: Deps) -> SummaryResponse:
    """How it went for a day and a week, and how it stands.

    Raises:
        InfrastructureError: the bus did not answer.
    """
    now = deps.clock()
    beats = (await deps.heartbeats()).values()
    failures = await deps.rows.open_failures(each=1)
    return SummaryResponse(
        now=now,
        last_24_h=await summary_of(deps.rows, now, 24),
        last_7_d=await summary_of(deps.rows, now, 24 * 7),
        failing=sorted({failure.pipeline for failure in failures}),
        slots=sum(beat.slots for beat in beats),
        busy_slots=sum(beat.running for beat in beats),
    )


async def summary_of(rows: ReadModel, now: datetime, hours: int) -> Summary:
    """What happened within so many hours until now."""
    window = Window(later(now, -3600.0 * hours), now)
    totals = await rows.totals(window)
    counts = {each.status: each.runs for each in sorted(totals)}
    waited = sum(each.waited for each in totals)
    fires = await fires_of(rows, window, None)
    return Summary(
        hours=hours,
        runs=sum(counts.values()),
        by_status=counts,
        success_rate=success_rate(counts),
        mean_wait_s=sum(each.wait_ms for each in totals) / 1000 / waited if waited else None,
        fires_on_time=fires.on_time / fires.due if fires.due else None,
    )


async def fires_of(rows: ReadModel, window: Window, pipeline: str | None) -> FireStats:
    """What became of the fires that were meant within a window."""
    found = await rows.told_fires(window, pipeline, limit=LOOKED_AT)
    unfired = told_in(found, since=window.since, until=window.until)
    fired: Fired = counted(await rows.fire_delays(window, pipeline), await _jitters(rows))
    skipped = sum(each.fires.count for each in unfired if each.fires.what == "skipped")
    missed = sum(each.fires.count for each in unfired if each.fires.what == "missed")
    return FireStats(
        since=window.since,
        until=window.until,
        due=fired.on_time + fired.late + skipped + missed,
        on_time=fired.on_time,
        late=fired.late,
        skipped=skipped,
        missed=missed,
        complete=len(found) < LOOKED_AT,
    )


async def top(deps: Deps, by: TopBy, *, days: int, limit: int) -> Top:
    """The pipelines that lead in something."""
    until = deps.clock()
    since = until - timedelta(days=days)
    uses, looked_at = await deps.rows.uses(Window(since, until), limit=LOOKED_AT)
    ranked = sorted(((_value(by, use), use) for use in uses), key=lambda pair: (-pair[0], pair[1].pipeline))
    items = [Ranked(pipeline=use.pipeline, value=value, runs=use.runs) for value, use in ranked if value]
    return Top(by=by, since=since, until=until, complete=looked_at < LOOKED_AT, items=items[:limit])


def _value(by: TopBy, use: PipelineUse) -> float:
    match by:
        case "duration":
            return use.duration_ms / 1000
        case "failures":
            return use.failed
        case "cpu":
            return use.cpu_s
        case "memory":
            return use.peak_memory_bytes
        case "output":
            return use.output_bytes
        case "wait":
            return use.wait_ms / 1000 / use.runs


async def _days(rows: ReadModel, days: Days, names: Collection[str] | None) -> list[DayStats]:
    if names is not None and len(days.days) <= SAMPLED_DAYS:
        return days_of_samples(days, await rows.samples(days, names, limit=SAMPLES))
    return days_of_counts(days, await rows.day_counts(days, names))


async def _names(rows: ReadModel, pipelines: Sequence[str], tags: Sequence[str]) -> list[str] | None:
    """The pipelines that are asked for; None for all."""
    if not tags:
        return list(dict.fromkeys(pipelines)) or None
    wanted = {tag.strip().casefold() for tag in tags}
    known = await rows.pipelines(after="", limit=EVERYTHING)
    return [row.name for row in known if wanted & tags_of(row) and (not pipelines or row.name in pipelines)]


async def _jitters(rows: ReadModel) -> dict[str, float]:
    """How late the fires of schedules are on purpose, by id, where they are."""
    found: dict[str, float] = {}
    for pipeline in await rows.pipelines(after="", limit=EVERYTHING):
        found |= {plan.id: plan.jitter_s for plan in file_schedules(pipeline).values() if plan.jitter_s}
    for row in await rows.schedules():
        plan = plan_of(row)
        if plan is not None and plan.jitter_s:
            found[row.id] = plan.jitter_s
    return found
