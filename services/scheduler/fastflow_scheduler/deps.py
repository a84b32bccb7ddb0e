"""Everything a decision may touch."""

from fastflow_events.log import EventLog
from msgspec import Struct

from fastflow_scheduler.book import Book
from fastflow_scheduler.leadership import Leadership
from fastflow_scheduler.settings import SchedulerSettings


class Deps(Struct, frozen=True, kw_only=True):
    """Made once by `app`, handed to every handler."""

    settings: SchedulerSettings
    log: EventLog
    book: Book
    leadership: Leadership
    acted: dict[str, int] = {}
    """Run to the position of our last fact about it; until the book is there, the run is left alone."""
