"""The list of pipelines: which ones, in which order, and with what of their runs."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

import msgspec
from fastflow_events.instants import LAST
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.responses.pipeline_figures import (
    LastRun,
    NextOfPipeline,
    PipelineFigures,
    show_figures,
    show_last,
)
from fastflow_gateway.core.responses.pipelines import PipelineResponse, show_pipeline
from fastflow_gateway.core.statistics.figures import success_rate
from fastflow_gateway.core.views.pipelines import PipelineRow, PipelineStatus, tags_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.all_schedules import every_schedule, next_fire_of
from fastflow_gateway.handlers.folder_pages import pages_of
from fastflow_gateway.ports import ReadModel

EVERYTHING = 1_000_000
SHOWN, SUCCESSES, DAYS = 10, 30, 29
Include: TypeAlias = Literal["stats", "last", "next"]
Sort: TypeAlias = Literal["name", "last", "next", "success"]
Wanted: TypeAlias = Literal["ready", "disabled", "invalid", "paused", "failing"]
FIRST = datetime(1, 1, 1, tzinfo=UTC)


class PipelineFilter(Struct, frozen=True, kw_only=True):
    """What is not said is not asked."""

    q: str = ""
    """Letters of its name, a tag or its description."""
    repositories: tuple[str, ...] = ()
    statuses: tuple[Wanted, ...] = ()
    """One of these."""
    tags: tuple[str, ...] = ()
    """All of these."""
    some_tags: frozenset[str] = frozenset()
    """One of these."""


async def page_of_pipelines(
    deps: Deps, wanted: PipelineFilter, include: Collection[Include], *, sort: Sort, cursor: str, limit: int
) -> tuple[list[PipelineResponse], str | None]:
    """Pipelines behind the one that a cursor names, and the cursor to go on with."""
    rows = await deps.rows.pipelines(after="", limit=EVERYTHING)
    failing = set[str]()
    if "failing" in wanted.statuses:
        failing = {failure.pipeline for failure in await deps.rows.open_failures(each=1)}
    rows = [row for row in rows if matches(wanted, row, failing)]
    if sort == "name":
        rows = [row for row in rows if row.name > cursor]
        more, shown = len(rows) > limit, await _shown(deps, rows[:limit], include)
    else:
        everything = await _shown(deps, rows, {*include, _needs(sort)})
        in_order = sorted(everything, key=lambda pipeline: _key(sort, pipeline))
        names = [pipeline.name for pipeline in in_order]
        begin = names.index(cursor) + 1 if cursor in names else 0
        more, shown = len(in_order) > begin + limit, in_order[begin : begin + limit]
    return shown, shown[-1].name if more else None


def matches(wanted: PipelineFilter, row: PipelineRow, failing: Collection[str]) -> bool:
    """Whether a pipeline is wanted. Pure."""
    tags = tags_of(row)
    statuses: set[Wanted | PipelineStatus] = {row.status}
    statuses |= {"paused"} if row.paused else set()
    statuses |= {"failing"} if row.name in failing else set()
    return (
        (not wanted.repositories or row.repository in wanted.repositories)
        and (not wanted.statuses or bool(statuses & set(wanted.statuses)))
        and {tag.casefold() for tag in wanted.tags} <= tags
        and (not wanted.some_tags or bool(tags & wanted.some_tags))
        and _has(row, tags, wanted.q.strip().casefold())
    )


def _has(row: PipelineRow, tags: Collection[str], letters: str) -> bool:
    if not letters or letters in row.name.casefold() or any(letters in tag for tag in tags):
        return True
    description = (msgspec.json.decode(row.definition) or {}).get("description")
    return isinstance(description, str) and letters in description.casefold()


def _needs(sort: Sort) -> Include:
    return "next" if sort == "next" else "last" if sort == "last" else "stats"


def _key(sort: Sort, pipeline: PipelineResponse) -> tuple[float, str]:
    """Newest run first; next fire first; lowest success first; those without any come last."""
    match sort:
        case "last":
            newest = pipeline.last[0].requested_at if pipeline.last else FIRST
            return (FIRST - newest).total_seconds(), pipeline.name
        case "next":
            return ((pipeline.next.at if pipeline.next else LAST) - FIRST).total_seconds(), pipeline.name
        case _:
            rate = pipeline.stats.success_30_d if pipeline.stats else None
            return 2.0 if rate is None else rate, pipeline.name


async def _shown(deps: Deps, rows: Sequence[PipelineRow], include: Collection[Include]) -> list[PipelineResponse]:
    doubts, pages = deps.log.doubts, await pages_of(deps.rows)
    names = [row.name for row in rows]
    stats = await _stats(deps, names) if "stats" in include else {}
    last = await _last(deps.rows, names) if "last" in include else {}
    running = Counter(run.pipeline for run in await deps.rows.open_runs()) if "last" in include else {}
    upcoming = await _next(deps) if "next" in include else {}
    return [
        replace(
            show_pipeline(row, untrusted=doubts.reason("pipeline", row.name), web_url=pages(row)),
            stats=stats.get(row.name),
            last=last.get(row.name, []) if "last" in include else None,
            running=running.get(row.name, 0) if "last" in include else None,
            next=upcoming.get(row.name),
        )
        for row in rows
    ]


async def _stats(deps: Deps, names: Sequence[str]) -> dict[str, PipelineFigures]:
    counts: dict[str, Counter[str]] = {}
    for total in await deps.rows.totals_by_pipeline(deps.clock() - timedelta(days=DAYS)):
        counts.setdefault(total.pipeline, Counter())[total.status] += total.runs
    usual = await deps.rows.usual_of(names, each=SUCCESSES)
    nothing = Counter[str]()
    return {
        name: show_figures(
            counts.get(name, nothing).total(), success_rate(counts.get(name, nothing)), usual.get(name, [])
        )
        for name in names
    }


async def _last(rows: ReadModel, names: Sequence[str]) -> dict[str, list[LastRun]]:
    found: dict[str, list[LastRun]] = {}
    for run in await rows.last_runs(names, each=SHOWN):
        found.setdefault(run.pipeline, []).append(show_last(run))
    return found


async def _next(deps: Deps) -> dict[str, NextOfPipeline]:
    now, found = deps.clock(), dict[str, NextOfPipeline]()
    for known in await every_schedule(deps.rows):
        at, name = next_fire_of(known, now), known.plan.pipeline
        if at is not None and (name not in found or at < found[name].at):
            found[name] = NextOfPipeline(at=at, schedule=known.plan.name)
    return found
