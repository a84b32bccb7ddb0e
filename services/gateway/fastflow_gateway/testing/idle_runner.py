"""A runner that says what one says, and executes nothing."""

from fastflow_events.fact import Fact
from fastflow_events.log import EventLog
from fastflow_events.testing.builders import CAUSE, run_claimed, run_dispatched, run_requested, run_started

RUN = "r1"


class IdleRunner:
    """Tells the story of one run; what it writes besides is the test's own."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def say(self, *facts: Fact) -> None:
        """Append to the run, whatever there is of it."""
        await self._log.append((await self._log.load("run", RUN)).position, facts, cause=CAUSE)

    async def start(self) -> None:
        """All until its script has started."""
        await self.say(run_requested(), run_dispatched(), run_claimed(), run_started())
