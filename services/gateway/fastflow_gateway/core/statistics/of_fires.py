"""What became of the fires of schedules. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
from fastflow_events.message import Message
from msgspec import Struct

from fastflow_gateway.core.views.schedules import ScheduleRow

LATE_AFTER_S = 60.0
"""As the scheduler counts, if nobody has told it otherwise."""


class NotFired(Struct, frozen=True, kw_only=True):
    """Fires that were skipped or missed, as one fact tells it."""

    what: Literal["skipped", "missed"]
    first: datetime
    last: datetime
    count: int
    reason: str
    reason_message: Message | None = None


class Told(NamedTuple):
    """And whose they were."""

    schedule: str
    """Its id."""
    pipeline: str
    fires: NotFired


class Fired(NamedTuple):
    """How many fires were on time, and how many were late."""

    on_time: int
    late: int


_rows = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_FAULT = ScheduleRow.__struct_fields__.index("fault")
_ID, _PIPELINE = (ScheduleRow.__struct_fields__.index(name) for name in ("id", "pipeline"))


def told_in(rows: Iterable[str], *, since: datetime, until: datetime) -> list[Told]:
    """What versions of schedules' rows say of fires within a window, each once."""
    found: dict[tuple[str, str, datetime, datetime], Told] = {}
    for text in rows:
        columns = _rows.decode(text)
        fault = msgspec.json.decode(columns[_FAULT], type=str)
        if not fault:
            continue
        id, pipeline = (msgspec.json.decode(columns[index], type=str) for index in (_ID, _PIPELINE))
        fires = msgspec.json.decode(fault, type=NotFired)
        if fires.last >= since and fires.first < until:
            found[id, fires.what, fires.first, fires.last] = Told(id, pipeline, fires)
    return list(found.values())


def counted(delays: Iterable[tuple[str, int, int]], jitter_s: Mapping[str, float]) -> Fired:
    """Fires that happened: schedule, seconds of delay, how many."""
    on_time = late = 0
    for schedule, delay_s, number in delays:
        if delay_s > LATE_AFTER_S + jitter_s.get(schedule, 0.0):
            late += number
        else:
            on_time += number
    return Fired(on_time, late)
