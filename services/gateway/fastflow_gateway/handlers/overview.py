"""How everything stands: what one page shows, in one answer."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from fastflow_events.errors import InfrastructureError
from fastflow_events.message import retold
from fastflow_events.nats.leases import Heartbeat
from fastflow_rules.queue.capacity import FULL, too_full

from fastflow_gateway.core import warnings
from fastflow_gateway.core.overview import grouped, last_line_of, usual
from fastflow_gateway.core.responses.overview import (
    FailureOpen,
    NextFire,
    Overview,
    Room,
    RunningNow,
    Slots,
    WaitingNow,
    Warned,
    warned,
)
from fastflow_gateway.core.responses.schedules import settings_pause
from fastflow_gateway.core.views.pipelines import PipelineRow, errors_of
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.core.views.runs import RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.all_schedules import every_schedule, next_fire_of
from fastflow_gateway.handlers.dead_letters import list_letters
from fastflow_gateway.handlers.statistics import fires_of, summary_of
from fastflow_gateway.handlers.unreachable import HELD
from fastflow_gateway.handlers.waiting_for import waiting_for
from fastflow_gateway.ports import Output, ReadModel
from fastflow_gateway.rows.statistics import Window

EVERYTHING = 1_000_000
RUNNING, READ, WAITS, NEXT, FAILURES = 100, 20, 20, 10, 100
"""Runs that are shown, whose last line is read, that wait; fires; failures of one pipeline."""
SUCCESSES = 30
SOON_DAYS = 14.0
DAY_S = 86_400.0


async def overview(deps: Deps) -> Overview:
    """Everything that one page shows.

    Raises:
        InfrastructureError: the bus did not answer.
    """
    now, seq = deps.clock(), deps.changes.seq
    beats = await deps.heartbeats()
    pipelines = await deps.rows.pipelines(after="", limit=EVERYTHING)
    open_runs = await deps.rows.open_runs()
    failures = grouped(await deps.rows.open_failures(each=FAILURES))
    held = [run for run in open_runs if run.status in HELD]
    alarms = await _alarms(deps, now, beats, held)
    alarms += _of_pipelines(pipelines, failures)
    fill = await deps.log_fill()
    return Overview(
        now=now,
        seq=seq,
        health="attention" if alarms or failures else "fine",
        warnings=alarms,
        paused=settings_pause(await deps.rows.settings()),
        slots=Slots(
            used=sum(beat.running for beat in beats.values()),
            total=sum(beat.slots for beat in beats.values()),
            runners=len(beats),
        ),
        by_status=dict(sorted(Counter(run.status for run in open_runs).items())),
        last_24_h=await summary_of(deps.rows, now, 24),
        running=await _running(deps, held[:RUNNING], beats),
        failures=failures,
        waits=await _waits(deps, [run for run in open_runs if run.status not in HELD]),
        next=await _next(deps.rows, now),
        room=Room(log_share=fill.share, disk_free_bytes=fill.room_bytes, outlook=await deps.log_outlook()),
        repositories=len(await deps.rows.repositories()),
        pipelines=len(pipelines),
    )


async def _running(deps: Deps, held: Sequence[RunRow], beats: Mapping[str, Heartbeat]) -> list[RunningNow]:
    """Runs in hand; what the first few of them wrote last is asked for at once."""
    pairs = {(run.pipeline, run.run_config_id) for run in held[:READ]}
    took = await deps.rows.last_successes(pairs, each=SUCCESSES)
    wrote = await asyncio.gather(*(_wrote(deps.output, run) for run in held[:READ]))
    known = {run.id: each for run, each in zip(held, wrote, strict=False)}
    return [
        RunningNow(
            id=run.id,
            pipeline=run.pipeline,
            status=run.status,
            attempt=run.attempt,
            runner=run.runner,
            requested_at=datetime.fromisoformat(run.requested_at),
            started_at=datetime.fromisoformat(run.started_at) if run.started_at else None,
            usual=usual(took.get((run.pipeline, run.run_config_id), [])),
            lines=known.get(run.id, (None, None))[0],
            last_line=known.get(run.id, (None, None))[1],
            unreachable=run.runner not in beats,
        )
        for run in held
    ]


async def _wrote(output: Output, run: RunRow) -> tuple[int | None, str | None]:
    """How many lines a run has written and the last one; what cannot be read is left out."""
    if run.runner is None:
        return None, None
    try:
        newest = await output.last(run.id, run.attempt, [run.runner])
    except InfrastructureError:
        return None, None
    return last_line_of(newest.chunk) if newest else (0, None)


async def _waits(deps: Deps, rows: Sequence[RunRow]) -> list[WaitingNow]:
    """Those that wait, first to start first, then those that wait for an instant."""
    found = await waiting_for(deps, rows)
    waits = [
        WaitingNow(
            id=row.id,
            pipeline=row.pipeline,
            since=datetime.fromisoformat(row.requested_at),
            reason=found[row.id].reason,
            reason_message=found[row.id].reason_message,
            position=found[row.id].position,
        )
        for row in rows
        if row.id in found
    ]
    return sorted(waits, key=lambda wait: (wait.position is None, wait.position or 0, wait.since))[:WAITS]


async def _next(rows: ReadModel, now: datetime) -> list[NextFire]:
    fires = [
        NextFire(at=at, pipeline=known.plan.pipeline, schedule=known.plan.name)
        for known in await every_schedule(rows)
        if (at := next_fire_of(known, now)) is not None
    ]
    return sorted(fires, key=lambda fire: (fire.at, fire.pipeline, fire.schedule))[:NEXT]


async def _alarms(deps: Deps, now: datetime, beats: Mapping[str, Heartbeat], held: Sequence[RunRow]) -> list[Warned]:
    """What is wrong with the installation."""
    found: list[Warned] = []
    if not beats:
        found.append(warned("runners", warnings.NobodyExecutes()))
    silent = Counter(run.runner for run in held if run.runner is not None and run.runner not in beats)
    found += [warned("runner", warnings.RunnerSilent(name, runs), name) for name, runs in sorted(silent.items())]
    for row in await deps.rows.repositories():
        if row.status == "failed":
            reason = retold(row.reason, message_of(row.reason_message))
            found.append(warned("repository", warnings.RepositorySick(row.name, reason), row.name))
    if letters := len(await list_letters(deps.letters)):
        found.append(warned("letters", warnings.LettersOpen(letters)))
    day = Window(datetime.fromtimestamp(now.timestamp() - DAY_S, now.tzinfo), now)
    if missed := (await fires_of(deps.rows, day, None)).missed:
        found.append(warned("fires", warnings.FiresMissed(missed)))
    aside = deps.log.doubts.report()
    if aside is not None:
        found.append(warned("facts", warnings.FactsSetAside(aside.count)))
    return found + await _of_the_log(deps)


async def _of_the_log(deps: Deps) -> list[Warned]:
    full = too_full(*await deps.log_fill())
    if full is not None:
        return [warned("log", full)]
    outlook = await deps.log_outlook()
    if outlook is None or outlook.full_in_days is None or outlook.full_in_days >= SOON_DAYS:
        return []
    # A young log has grown from nothing in no time, which says little of what will be.
    half = bool(outlook.max_bytes) and outlook.bytes > FULL / 2 * outlook.max_bytes
    return [warned("log", warnings.LogFullSoon(outlook.full_in_days))] if half else []


def _of_pipelines(rows: Sequence[PipelineRow], failures: Sequence[FailureOpen]) -> list[Warned]:
    found: list[Warned] = []
    if failing := len({failure.pipeline for failure in failures}):
        found.append(warned("failures", warnings.FailuresOpen(failing)))
    return found + [
        warned("pipeline", warnings.PipelineUnusable(row.name, reasons[0]), row.name)
        for row in rows
        if row.status == "invalid" and (reasons := errors_of(row))
    ]
