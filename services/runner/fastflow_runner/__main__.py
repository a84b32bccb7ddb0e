"""Start the runner."""

import os
from argparse import ArgumentParser

from fastflow_events.service.process import start

from fastflow_runner.app import SERVICE, build
from fastflow_runner.settings import RunnerSettings


def main() -> None:
    """Run until SIGTERM; attempts go on without this process, and the next one takes them up, unless it drains."""
    parser = ArgumentParser(prog="fastflow-runner", description="Execute runs; settings come from the environment.")
    parser.add_argument("--drain", action="store_true", help="on SIGTERM, finish what is in hand (FASTFLOW_DRAIN=true)")
    if parser.parse_args().drain:
        os.environ["FASTFLOW_DRAIN"] = "true"
    start(SERVICE, RunnerSettings, lambda settings: build(settings, os.environ).run())


if __name__ == "__main__":
    main()
