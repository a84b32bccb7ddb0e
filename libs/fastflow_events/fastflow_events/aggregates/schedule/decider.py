"""The rules of a schedule: every change once, every fire that did not happen told once."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.absent import NoScheduleOfApi
from fastflow_events.aggregates.schedule.commands import (
    PauseSchedule,
    RemoveSchedule,
    ResumeSchedule,
    ScheduleCommand,
    SetSchedule,
    SettleFires,
)
from fastflow_events.aggregates.schedule.events import (
    ScheduleFireMissed,
    ScheduleFireSkipped,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSet,
)
from fastflow_events.decider import Decider
from fastflow_events.errors import NotFoundError
from fastflow_events.fact import Fact


class Schedule(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a schedule."""

    set: ScheduleSet | None = None
    """None while only a file speaks of it."""
    paused: bool = False
    settled: datetime | None = None
    """Nominal instant up to which fires that did not happen were told."""


def decide(command: ScheduleCommand, schedule: Schedule) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        NotFoundError: nobody set it, so nobody can remove it.
    """
    match command:
        case SetSchedule(schedule=wanted):
            before = schedule.set and replace(schedule.set, who=wanted.who)
            return [] if before == wanted else [wanted]
        case RemoveSchedule(who=who):
            if schedule.set is None:
                raise NotFoundError(NoScheduleOfApi())
            return [ScheduleRemoved(who=who)]
        case PauseSchedule(who=who, why=why):
            return [] if schedule.paused else [SchedulePaused(who=who, why=why)]
        case ResumeSchedule(who=who):
            return [ScheduleResumed(who=who)] if schedule.paused else []
        case SettleFires(fires=fires):
            is_settled = schedule.settled is not None and fires.last <= schedule.settled
            return [] if is_settled else [fires]


def evolve(schedule: Schedule, fact: Fact) -> Schedule:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case ScheduleSet():
            return replace(schedule, set=fact)
        case ScheduleRemoved():
            return replace(schedule, set=None, paused=False)
        case SchedulePaused() | ScheduleResumed():
            return replace(schedule, paused=isinstance(fact, SchedulePaused))
        case ScheduleFireSkipped() | ScheduleFireMissed():
            settled = fact.last if schedule.settled is None else max(schedule.settled, fact.last)
            return replace(schedule, settled=settled)
        case _:
            return schedule


schedule_decider: Decider[ScheduleCommand, Schedule] = Decider(
    aggregate="schedule", initial=Schedule(), decide=decide, evolve=evolve
)
