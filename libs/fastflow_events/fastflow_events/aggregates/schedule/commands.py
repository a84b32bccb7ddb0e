"""What may be asked of a schedule."""

from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.schedule.events import ScheduleFireMissed, ScheduleFireSkipped, ScheduleSet


class SetSchedule(Struct, frozen=True, kw_only=True):
    """Run the pipeline at these times."""

    schedule: ScheduleSet


class RemoveSchedule(Struct, frozen=True, kw_only=True):
    """Forget these times."""

    who: str


class PauseSchedule(Struct, frozen=True, kw_only=True):
    """Leave fires out."""

    who: str
    why: str = ""


class ResumeSchedule(Struct, frozen=True, kw_only=True):
    """Let it fire again."""

    who: str


class SettleFires(Struct, frozen=True, kw_only=True):
    """Say what became of fires that did not happen."""

    fires: ScheduleFireSkipped | ScheduleFireMissed


ScheduleCommand: TypeAlias = SetSchedule | RemoveSchedule | PauseSchedule | ResumeSchedule | SettleFires
