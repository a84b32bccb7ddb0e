"""Start the runner."""

import os

from fastflow_events.process import start

from fastflow_runner.app import SERVICE, build
from fastflow_runner.settings import RunnerSettings


def main() -> None:
    """Run until SIGTERM; attempts go on without this process, and the next one takes them up."""
    start(SERVICE, RunnerSettings, lambda settings: build(settings, os.environ).run())


if __name__ == "__main__":
    main()
