"""Start the runner, or look through what its runs are started from."""

import os
from argparse import ArgumentParser

from fastflow_events.service.process import start

from fastflow_runner.app import SERVICE, build
from fastflow_runner.settings import RunnerSettings
from fastflow_runner.verify import verify


def main() -> None:
    """Run until SIGTERM; attempts go on without this process, and the next one takes them up, unless it drains."""
    parser = ArgumentParser(prog="fastflow-runner", description="Execute runs; settings come from the environment.")
    parser.add_argument("--drain", action="store_true", help="on SIGTERM, finish what is in hand (FASTFLOW_DRAIN=true)")
    parser.add_argument(
        "--verify",
        nargs="?",
        const="",
        metavar="NAME",
        help="look at every byte of what runs are started from, or of what has a name that begins so, and end; "
        "3 when something was changed",
    )
    given = parser.parse_args()
    if given.drain:
        os.environ["FASTFLOW_DRAIN"] = "true"
    if (only := given.verify) is not None:
        start(SERVICE, RunnerSettings, lambda settings: verify(settings, os.environ, only))
    start(SERVICE, RunnerSettings, lambda settings: build(settings, os.environ).run())


if __name__ == "__main__":
    main()
