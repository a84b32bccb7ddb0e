"""Everything a decision may touch."""

from fastflow_events.log import EventLog
from msgspec import Struct

from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.leadership import Leadership
from fastflow_scheduler.own_writes import OwnWrites
from fastflow_scheduler.settings import SchedulerSettings
from fastflow_scheduler.trusted_clock import Now


class Deps(Struct, frozen=True, kw_only=True):
    """Made once by `app`, handed to every handler."""

    settings: SchedulerSettings
    log: EventLog
    state: SchedulerState
    leadership: Leadership
    time: Now
    own_writes: OwnWrites
