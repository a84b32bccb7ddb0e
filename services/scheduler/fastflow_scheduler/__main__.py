"""Start the scheduler."""

from fastflow_events.service.process import start

from fastflow_scheduler.app import SERVICE, build
from fastflow_scheduler.settings import SchedulerSettings


def main() -> None:
    """Run until SIGTERM."""
    start(SERVICE, SchedulerSettings, lambda settings: build(settings).run())


if __name__ == "__main__":
    main()
