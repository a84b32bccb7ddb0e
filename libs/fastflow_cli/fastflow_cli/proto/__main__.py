"""`python -m fastflow_cli.proto [--check] [--base REVISION] [--folder FOLDER]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fastflow_cli.console import fail, say
from fastflow_cli.errors import CliError
from fastflow_cli.exits import Exit
from fastflow_cli.proto.files import broken_promises, stale, undecodable, write

FOLDER = Path(__file__).resolve().parents[4] / "proto"


def run(arguments: Sequence[str]) -> int:
    """Write the contract, or check it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fastflow_cli.proto", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is stale or broken")
    parser.add_argument("--base", default="HEAD", help="revision whose promises count")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    folder: Path = given.folder
    try:
        if not given.check:
            for path in write(folder):
                say(f"wrote {path}")
        problems = [*stale(folder), *undecodable(folder), *broken_promises(folder, given.base)]
    except CliError as exc:
        fail(str(exc), fix=exc.fix)
        return exc.exit_code
    for problem in problems:
        fail(f"proto/{problem}")
    if problems:
        say("type:  make proto, and read proto/README.md about promises")
    return Exit.FAILED if problems else Exit.OK


if __name__ == "__main__":
    sys.exit(int(run(sys.argv[1:])))
