"""Table `schedules`: one row per schedule that has facts; those that only a file speaks of are in its pipeline.

What was set over the API is in `plan`; a schedule of a file has a row of its own once it was paused, skipped or missed.
"""

from collections.abc import Iterable

import msgspec
from fastflow_events.aggregates.schedule.events import (
    ScheduleFireMissed,
    ScheduleFireSkipped,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSet,
)
from fastflow_events.instants import held
from fastflow_events.recorded import Recorded
from fastflow_rules.schedules.planned import PlannedSchedule, plan_of_api
from fastflow_rules.schedules.times import fault_of
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.views.instants import text_of


class ScheduleRow(Struct, frozen=True):
    """One schedule. Instants are RFC 3339 UTC text."""

    id: str
    seq: int
    """Stream position of the fact that changed the row last."""
    pipeline: str = ""
    """Empty while nothing but a pause is known of it."""
    plan: str = ""
    """JSON object: what was set over the API; empty when nothing is, or was removed."""
    own_priority: int = 0
    """1 when the plan has a priority of its own, else it is its pipeline's."""
    set_by: str = ""
    set_at: str | None = None
    paused: int = 0
    paused_by: str = ""
    paused_why: str = ""
    paused_at: str | None = None
    settled: str | None = None
    """Nominal instant up to which fires that did not happen were told."""
    fault: str = ""
    """JSON object: the last fire that was skipped or missed, `{what, first, last, count, reason}`."""


_json = msgspec.json.Encoder(order="sorted")


def project(row: ScheduleRow | None, recorded: Recorded) -> ScheduleRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    row = row or ScheduleRow(id=recorded.id, seq=recorded.seq)
    fact, seq = recorded.fact, recorded.seq
    match fact:
        case ScheduleSet():
            return _set(replace(row, seq=seq), recorded, fact)
        case ScheduleRemoved():
            gone = ScheduleRow(id=row.id, seq=seq, pipeline=row.pipeline)
            return replace(gone, settled=row.settled, fault=row.fault)
        case SchedulePaused():
            at = text_of(recorded.at)
            return replace(row, seq=seq, paused=1, paused_by=fact.who, paused_why=fact.why, paused_at=at)
        case ScheduleResumed():
            return replace(row, seq=seq, paused=0, paused_by="", paused_why="", paused_at=None)
        case ScheduleFireSkipped() | ScheduleFireMissed():
            last = text_of(held(fact.last))
            fault = {
                "what": "skipped" if isinstance(fact, ScheduleFireSkipped) else "missed",
                "first": text_of(held(fact.first)),
                "last": last,
                "count": fact.count,
                "reason": fact.reason,
                "reason_message": fact.reason_message,
            }
            settled = last if row.settled is None else max(row.settled, last)
            return replace(
                row,
                seq=seq,
                pipeline=row.pipeline or fact.pipeline,
                settled=settled,
                fault=_json.encode(fault).decode(),
            )
        case _:
            return row


def plan_of(row: ScheduleRow) -> PlannedSchedule | None:
    """What was set over the API."""
    return msgspec.json.decode(row.plan, type=PlannedSchedule) if row.plan else None


def _set(row: ScheduleRow, recorded: Recorded, fact: ScheduleSet) -> ScheduleRow:
    if fault_of(fact) is not None:
        return row  # no timetable can be made of it
    plan = plan_of_api(fact, at=recorded.told_at, before=plan_of(row), priority=0)
    return replace(
        row,
        pipeline=fact.pipeline,
        plan=_json.encode(plan).decode(),
        own_priority=int(fact.priority is not None),
        set_by=fact.who,
        set_at=text_of(recorded.at),
    )


def fold(history: Iterable[Recorded]) -> ScheduleRow | None:
    """The row after a whole history, oldest first."""
    row: ScheduleRow | None = None
    for recorded in history:
        row = project(row, recorded)
    return row
