"""Questions about what runs add up to; each is answered by an index, or looks at a bounded number of rows."""

import json
from collections.abc import Collection
from datetime import datetime

from fastflow_gateway.adapters.rows.asking import Asking, listed
from fastflow_gateway.core.statistics.of_days import Counted, Sample
from fastflow_gateway.core.statistics.of_pipeline import RunFigures
from fastflow_gateway.core.statistics.zoned_days import DAY_MINUTES, Days, hour_of
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.rows.statistics import (
    FailureSeen,
    FireSeen,
    PipelineTotals,
    PipelineUse,
    RunBrief,
    StatusTotals,
    Window,
)

STATUSES = "('queued','waiting','preparing','running','succeeded','failed','cancelled','rejected')"
"""The planner takes the index only when all of them are named."""
CLOCKS_HOURS = 48
"""How far the clocks of those who write may be apart: positions and instants need not have the same order."""
LATE_HOURS = 24 * 7
"""How long after a fire it may be told that it did not happen."""
_MINUTE = "hour * 60 + CAST(substr(requested_at, 15, 2) AS INTEGER)"
_IN_TIME = "requested_at >= ? AND requested_at < ?"
_EACH = "json_each(?) AS name CROSS JOIN"


def _day_number(days: Days, minute: str) -> str:
    """The number of the day that a minute belongs to, as SQL; NULL for one of none of them."""
    stretches = days.stretches()
    cases = [f"WHEN {minute} < {stretches[0].start} THEN NULL"]
    for each in stretches:
        number = f"{each.first} + ({minute} - {each.start}) / {DAY_MINUTES}" if each.is_even else f"{each.first}"
        cases.append(f"WHEN {minute} < {each.end} THEN {number}")
    return f"CASE {' '.join(cases)} END"


def _of_schedules(pipeline: str | None) -> tuple[str, str, tuple[str, ...]]:
    """The index of runs that schedules asked for, the condition, and what stands in it."""
    if pipeline is None:
        return "runs_trigger", "trigger_kind = 'schedule'", ()
    return "runs_pipeline", "pipeline = ? AND +trigger_kind = 'schedule'", (pipeline,)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


class StatisticsQuestions(Asking):
    """`StatisticsRows` over the reading connections."""

    async def day_counts(self, days: Days, pipelines: Collection[str] | None) -> list[Counted]:
        """Runs by day and status."""
        window = Window(days.days[0].start, days.end)
        low, high = hour_of(window.since), hour_of(window.until)
        apart, number = json.dumps(days.split_hours()), _day_number(days, "hour * 60")
        named, names = "", list[str]()
        if pipelines is None:
            query = (
                f"SELECT {number} AS day, status, SUM(runs), SUM(duration_ms) FROM hour_counts "
                "WHERE hour BETWEEN ? AND ? AND hour NOT IN (SELECT value FROM json_each(?)) GROUP BY day, status"
            )
            found = await self._all(query, (low, high, apart))
        else:
            first, last = await self._positions(window)
            query = (
                f"SELECT {number} AS day, status, COUNT(*), SUM(COALESCE(duration_ms, 0)) FROM {_EACH} "
                f"runs INDEXED BY runs_pipeline_status WHERE pipeline = name.value AND status IN {STATUSES} "
                "AND n BETWEEN ? AND ? AND hour BETWEEN ? AND ? AND hour NOT IN (SELECT value FROM json_each(?)) "
                "GROUP BY day, status"
            )
            names = [listed(sorted(pipelines))]
            found = await self._all(query, (*names, first, last, low, high, apart))
            named = " AND pipeline IN (SELECT value FROM json_each(?))"
        if days.split_hours():
            minute = _day_number(days, f"runs.{_MINUTE}")
            query = (
                f"SELECT {minute} AS day, status, COUNT(*), SUM(COALESCE(duration_ms, 0)) FROM hours CROSS JOIN runs "
                "ON runs.n BETWEEN first_n AND last_n AND runs.hour = hours.hour "
                f"WHERE hours.hour IN (SELECT value FROM json_each(?)){named} GROUP BY day, status"
            )
            found += await self._all(query, (apart, *names))
        return [Counted(*row) for row in found if row[0] is not None]

    async def samples(self, days: Days, pipelines: Collection[str], *, limit: int) -> list[Sample]:
        """The newest runs of some pipelines."""
        window = Window(days.days[0].start, days.end)
        first, last = await self._positions(window)
        names = listed(sorted(pipelines))
        if not days.split_hours():  # the index alone knows enough
            query = (
                f"SELECT {_day_number(days, 'hour * 60')}, status, duration_ms, wait_ms FROM {_EACH} "
                f"runs INDEXED BY runs_pipeline_status WHERE pipeline = name.value AND status IN {STATUSES} "
                f"AND n BETWEEN ? AND ? LIMIT {limit + 1}"
            )
            found = await self._all(query, (names, first, last))
            if len(found) <= limit:
                return [Sample(*row) for row in found if row[0] is not None]
        each = (
            f"SELECT n FROM runs INDEXED BY runs_pipeline WHERE pipeline = name.value AND n BETWEEN ? AND ? "
            f"ORDER BY n DESC LIMIT {limit}"
        )
        query = (
            f"SELECT {_day_number(days, _MINUTE)}, status, duration_ms, wait_ms FROM {_EACH} "
            f"runs ON runs.n IN ({each}) LIMIT {limit}"
        )
        found = await self._all(query, (names, first, last))
        return [Sample(*row) for row in found if row[0] is not None]

    async def figures(self, window: Window, pipeline: str, *, limit: int) -> list[RunFigures]:
        """The newest runs of a pipeline."""
        first, last = await self._positions(window)
        query = (
            "SELECT id, requested_at, status, outcome, attempt, wait_ms, duration_ms, prepare_s, peak_memory_bytes, "
            "cpu_s, finished_at FROM runs INDEXED BY runs_pipeline CROSS JOIN run_details USING (n) "
            f"WHERE pipeline = ? AND n BETWEEN ? AND ? AND {_IN_TIME} ORDER BY n DESC LIMIT ?"
        )
        times = (text_of(window.since), text_of(window.until))
        found = await self._all(query, (pipeline, first, last, *times, limit))
        return [RunFigures._make(row) for row in found]

    async def totals(self, window: Window) -> list[StatusTotals]:
        """Every run of a window, by status."""
        first, last = await self._positions(window)
        query = (
            "SELECT status, COUNT(*), SUM(COALESCE(duration_ms, 0)), SUM(COALESCE(wait_ms, 0)), COUNT(wait_ms) "
            f"FROM runs NOT INDEXED WHERE n BETWEEN ? AND ? AND {_IN_TIME} GROUP BY status"
        )
        found = await self._all(query, (first, last, text_of(window.since), text_of(window.until)))
        return [StatusTotals(*row) for row in found]

    async def totals_by_pipeline(self, since: datetime) -> list[PipelineTotals]:
        """Runs of whole days by pipeline and status."""
        query = (
            "SELECT pipeline, status, SUM(runs), SUM(duration_ms) FROM day_counts WHERE day >= ? "
            "GROUP BY pipeline, status"
        )
        return [PipelineTotals(*row) for row in await self._all(query, (hour_of(since) // 24,))]

    async def uses(self, window: Window, *, limit: int) -> tuple[list[PipelineUse], int]:
        """What each pipeline took."""
        first, last = await self._positions(window)
        query = (
            "WITH newest AS MATERIALIZED (SELECT n, pipeline, status, duration_ms, wait_ms FROM runs NOT INDEXED "
            f"WHERE n BETWEEN ? AND ? AND {_IN_TIME} ORDER BY n DESC LIMIT ?) "
            "SELECT pipeline, COUNT(*), SUM(status = 'failed'), SUM(COALESCE(duration_ms, 0)), "
            "SUM(COALESCE(wait_ms, 0)), SUM(COALESCE(cpu_s, 0.0)), MAX(COALESCE(peak_memory_bytes, 0)), "
            "SUM(output_bytes) FROM newest CROSS JOIN run_details USING (n) GROUP BY pipeline"
        )
        found = await self._all(query, (first, last, text_of(window.since), text_of(window.until), limit))
        return [PipelineUse(*row) for row in found], sum(row[1] for row in found)

    async def fires(self, window: Window, pipeline: str | None, *, limit: int) -> list[FireSeen]:
        """Runs that schedules asked for."""
        first, last = await self._positions(window)
        index, where, named = _of_schedules(pipeline)
        query = (
            f"SELECT id, pipeline, schedule, nominal, requested_at, status FROM runs INDEXED BY {index} "
            f"CROSS JOIN run_details USING (n) WHERE {where} AND n BETWEEN ? AND ? "
            "AND nominal >= ? AND nominal < ? AND schedule IS NOT NULL ORDER BY n DESC LIMIT ?"
        )
        times = (text_of(window.since), text_of(window.until))
        found = await self._all(query, (*named, first, last, *times, limit))
        return [FireSeen._make((*row[:3], _at(row[3]), _at(row[4]), row[5])) for row in found]

    async def fire_delays(self, window: Window, pipeline: str | None) -> list[tuple[str, int, int]]:
        """Schedule, seconds of delay, and how many fires there were."""
        first, last = await self._positions(window)
        index, where, named = _of_schedules(pipeline)
        query = (
            "SELECT schedule, CAST(strftime('%s', requested_at) AS INTEGER) - CAST(strftime('%s', nominal) AS INTEGER) "
            f"AS delay, COUNT(*) FROM runs INDEXED BY {index} CROSS JOIN run_details USING (n) WHERE {where} "
            "AND n BETWEEN ? AND ? AND nominal >= ? AND nominal < ? AND schedule IS NOT NULL GROUP BY schedule, delay"
        )
        times = (text_of(window.since), text_of(window.until))
        return [(row[0], row[1], row[2]) for row in await self._all(query, (*named, first, last, *times))]

    async def told_fires(self, window: Window, pipeline: str | None, *, limit: int) -> list[str]:
        """What was told of fires that did not happen."""
        first, last = await self._positions(window, later_hours=LATE_HOURS)
        query = (
            "SELECT history.row FROM schedules CROSS JOIN history ON history.kind = 'schedules' "
            "AND history.id = schedules.id WHERE schedules.fault <> '' AND (? = '' OR schedules.pipeline = ?) "
            "AND history.seq BETWEEN ? AND ? LIMIT ?"
        )
        found = await self._all(query, (pipeline or "", pipeline or "", first, last, limit))
        return [str(row[0]) for row in found]

    async def open_failures(self, *, each: int) -> list[FailureSeen]:
        """Failures that no success has followed."""
        query = (
            "SELECT id, pipeline, requested_at, COALESCE(commit_sha, ''), COALESCE(outcome, ''), reason, "
            "reason_message, error FROM (SELECT name AS owner, COALESCE((SELECT MAX(n) FROM runs INDEXED BY "
            "runs_pipeline_status WHERE pipeline = name AND status = 'succeeded'), 0) AS good FROM pipelines "
            "WHERE status <> 'removed') CROSS JOIN runs ON runs.n IN (SELECT n FROM runs INDEXED BY "
            "runs_pipeline_status WHERE pipeline = owner AND status = 'failed' AND n > good "
            f"ORDER BY n DESC LIMIT {each}) ORDER BY n DESC"
        )
        return [FailureSeen._make((row[0], row[1], _at(row[2]), *row[3:])) for row in await self._all(query)]

    async def last_runs(self, pipelines: Collection[str], *, each: int) -> list[RunBrief]:
        """The newest runs of each."""
        query = (
            f"SELECT pipeline, runs.id, status, outcome, requested_at, duration_ms FROM {_EACH} runs ON runs.n IN "
            "(SELECT n FROM runs INDEXED BY runs_pipeline WHERE pipeline = name.value "
            f"ORDER BY n DESC LIMIT {each}) ORDER BY n DESC"
        )
        found = await self._all(query, (listed(sorted(pipelines)),))
        return [RunBrief._make((*row[:4], _at(row[4]), row[5])) for row in found]

    async def last_successes(
        self, pairs: Collection[tuple[str, str | None]], *, each: int
    ) -> dict[tuple[str, str | None], list[int]]:
        """How long the newest successes with a run configuration took."""
        query = (
            "SELECT key, duration_ms FROM json_each(?) AS pair CROSS JOIN runs ON runs.n IN (SELECT n FROM (SELECT n "
            "FROM runs INDEXED BY runs_pipeline_status WHERE pipeline = json_extract(pair.value, '$[0]') "
            f"AND status = 'succeeded' ORDER BY n DESC LIMIT {5 * each}) CROSS JOIN run_details USING (n) "
            f"WHERE run_config_id IS json_extract(pair.value, '$[1]') ORDER BY n DESC LIMIT {each}) "
            "WHERE duration_ms IS NOT NULL"
        )
        asked = list(pairs)
        took: dict[tuple[str, str | None], list[int]] = {}
        for number, ms in await self._all(query, (json.dumps(asked),)):
            took.setdefault(asked[number], []).append(ms)
        return {pair: sorted(values) for pair, values in took.items()}

    async def backfill_counts(self, backfills: Collection[str]) -> dict[str, dict[str, int]]:
        """Runs of backfills by status."""
        query = (
            f"SELECT backfill, status, COUNT(*) FROM {_EACH} runs INDEXED BY runs_backfill "
            "WHERE backfill IS NOT NULL AND backfill = name.value GROUP BY backfill, status"
        )
        counts: dict[str, dict[str, int]] = {}
        for backfill, status, number in await self._all(query, (listed(sorted(backfills)),)):
            counts.setdefault(backfill, {})[status] = number
        return counts

    async def usual_of(self, pipelines: Collection[str], *, each: int) -> dict[str, list[int]]:
        """How long the newest successes took."""
        query = (
            "SELECT name.value, (SELECT json_group_array(duration_ms) FROM (SELECT duration_ms FROM runs INDEXED BY "
            "runs_pipeline_status WHERE pipeline = name.value AND status = 'succeeded' "
            f"ORDER BY n DESC LIMIT {each})) FROM json_each(?) AS name"
        )
        found = await self._all(query, (listed(sorted(pipelines)),))
        return {name: sorted(ms for ms in json.loads(values) if ms is not None) for name, values in found}

    async def _positions(self, window: Window, *, later_hours: int = CLOCKS_HOURS) -> tuple[int, int]:
        """Between which positions the requests of a window lie, clocks that are wrong included."""
        query = (
            "SELECT COALESCE((SELECT MAX(last_n) FROM (SELECT last_n FROM hours WHERE hour < ? "
            f"ORDER BY hour DESC LIMIT {CLOCKS_HOURS})), 0), COALESCE((SELECT MIN(first_n) FROM (SELECT first_n "
            f"FROM hours WHERE hour > ? ORDER BY hour LIMIT {CLOCKS_HOURS})), {2**63 - 1})"
        )
        low = hour_of(window.since) - CLOCKS_HOURS
        [(first, last)] = await self._all(query, (low, hour_of(window.until) + later_hours))
        return int(first), int(last)
