"""Fires of schedules in both directions of time, as one list. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from fastflow_events.message import Message, Statement
from fastflow_rules.schedules.planned import PlannedSchedule
from fastflow_rules.schedules.timetable import fires
from msgspec import Struct

FOLDED_ABOVE = 3
"""Fires of one pipeline within an hour; more are one entry."""
MOST_OF_ONE = 11_000
"""Fires of one schedule that are looked at: a week of one every minute."""
MOST = 50_000
"""Fires of all schedules together."""
What: TypeAlias = Literal["run", "skipped", "missed", "due", "paused"]


class Fire(NamedTuple):
    """One fire, or several that did not happen."""

    at: datetime
    pipeline: str
    schedule: str
    """Its name."""
    what: What
    run: str | None = None
    status: str | None = None
    number: int = 1
    last: datetime | None = None
    at_least: bool = False
    reason: str = ""
    reason_message: Message | None = None


class AgendaEntry(Struct, frozen=True, kw_only=True):
    """A fire, or several of one pipeline that are told together."""

    at: datetime
    """Nominal instant of the first one."""
    last: datetime
    """And of the last one."""
    pipeline: str
    schedule: str | None
    """Null where several schedules are told together."""
    what: What | Literal["several"]
    """`run`: a run was asked for. `skipped` and `missed`: it did not happen. `due`: it will. `paused`: it would."""
    count: int
    at_least: bool
    """Nobody counted further."""
    counts: dict[str, int]
    """How many there are of what, runs by their status."""
    run: str | None
    status: str | None
    reason: str
    """Why it did not happen, or will not."""
    reason_message: Message | None


class Coming(NamedTuple):
    """Fires that are expected."""

    fires: list[Fire]
    is_complete: bool
    """False when there are so many that some were not looked at."""


def coming(
    plans: Iterable[PlannedSchedule], paused: Mapping[str, Statement], after: datetime, until: datetime
) -> Coming:
    """What the schedules mean to do later than `after` and before `until`; `paused` has reasons by schedule."""
    found: list[Fire] = []
    is_complete = True
    for plan in plans:
        if not plan.enabled:
            continue
        most = min(MOST_OF_ONE, MOST - len(found))
        some = list(islice(fires(plan.timetable, after=after, until=until), most + 1))
        is_complete = is_complete and len(some) <= most
        what: What = "paused" if plan.id in paused else "due"
        reason = paused.get(plan.id)
        found += [
            Fire(
                at,
                plan.pipeline,
                plan.name,
                what,
                reason=str(reason or ""),
                reason_message=reason.message if reason else None,
            )
            for at in some[:most]
            if at < until
        ]
    return Coming(found, is_complete)


def folded(found: Iterable[Fire], zone: ZoneInfo, now: datetime) -> list[AgendaEntry]:
    """Entries by instant; what is over and what is to come are never told together."""
    groups: dict[tuple[str, bool, datetime], list[Fire]] = {}
    for fire in found:
        hour = fire.at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        groups.setdefault((fire.pipeline, fire.at > now, hour - (hour.utcoffset() or timedelta(0))), []).append(fire)
    entries: list[AgendaEntry] = []
    for group in groups.values():
        group.sort(key=lambda fire: (fire.at, fire.schedule))
        if len(group) > FOLDED_ABOVE:
            entries.append(_entry(group))
        else:
            entries += [_entry([fire]) for fire in group]
    return sorted(entries, key=lambda entry: (entry.at, entry.pipeline, entry.schedule or ""))


def _entry(group: Sequence[Fire]) -> AgendaEntry:
    first = group[0]
    counts: Counter[str] = Counter()
    for fire in group:
        counts[fire.status or "unknown" if fire.what == "run" else fire.what] += fire.number
    schedules = {fire.schedule for fire in group}
    kinds: set[What] = {fire.what for fire in group}
    alone = len(group) == 1
    same_reason = len({fire.reason for fire in group}) == 1
    return AgendaEntry(
        at=first.at,
        last=max(fire.last or fire.at for fire in group),
        pipeline=first.pipeline,
        schedule=first.schedule if len(schedules) == 1 else None,
        what=first.what if len(kinds) == 1 else "several",
        count=sum(fire.number for fire in group),
        at_least=any(fire.at_least for fire in group),
        counts=dict(sorted(counts.items())),
        run=first.run if alone else None,
        status=first.status if alone else None,
        reason=first.reason if same_reason else "",
        reason_message=first.reason_message if same_reason else None,
    )
