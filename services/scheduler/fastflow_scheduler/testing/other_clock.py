"""The scheduler on a wrong clock: `python -m fastflow_scheduler.testing.other_clock SECONDS` is that far ahead."""

import sys
from datetime import datetime, timedelta

from fastflow_events.service.clock import utc_now
from fastflow_events.service.process import start

from fastflow_scheduler.app import SERVICE, build
from fastflow_scheduler.settings import SchedulerSettings


def main(ahead_s: float) -> None:
    """Run until SIGTERM."""

    def clock() -> datetime:
        return utc_now() + timedelta(seconds=ahead_s)

    start(SERVICE, SchedulerSettings, lambda settings: build(settings, clock).run())


if __name__ == "__main__":
    main(float(sys.argv[1]))
