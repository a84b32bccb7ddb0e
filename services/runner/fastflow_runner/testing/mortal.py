"""The runner, except that it dies: `python -m fastflow_runner.testing.mortal PHASE` ends there as by `kill -9`."""

import os
import signal
import sys

from fastflow_events.service.process import start

from fastflow_runner.app import SERVICE, build
from fastflow_runner.settings import RunnerSettings


def main(phase: str) -> None:
    """Run until `phase` is over, or until SIGTERM."""

    def passed(step: str) -> None:
        if step == phase:
            os.kill(os.getpid(), signal.SIGKILL)

    start(SERVICE, RunnerSettings, lambda settings: build(settings, os.environ, passed).run())


if __name__ == "__main__":
    main(sys.argv[1])
