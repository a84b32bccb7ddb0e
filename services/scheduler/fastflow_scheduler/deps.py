"""Everything a decision may touch."""

from fastflow_events.log import EventLog
from msgspec import Struct

from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.leadership import Leadership
from fastflow_scheduler.settings import SchedulerSettings
from fastflow_scheduler.trusted_clock import Now


class Deps(Struct, frozen=True, kw_only=True):
    """Made once by `app`, handed to every handler."""

    settings: SchedulerSettings
    log: EventLog
    state: SchedulerState
    leadership: Leadership
    time: Now
    acted: dict[str, int] = {}
    """What we have appended about (a run's or a schedule's id) to the position of the fact; until the state is there,
    it is left alone."""

    def awaits_own_write(self, id: str) -> bool:
        """Whether the state does not know yet what we did about it last."""
        return self.acted.get(id, 0) > self.state.seq

    def forget(self) -> None:
        """Drop what the state knows by now."""
        for id in [id for id, seq in self.acted.items() if seq <= self.state.seq]:
            del self.acted[id]
