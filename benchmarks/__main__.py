"""`python -m benchmarks [NAME…]`: measure, print a table, write `results.json`.

A missed budget is no failure: it is a row that says so. Exit code 1 means that something could not be measured,
2 that there is no such benchmark.
"""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx
import nats.errors
from fastflow_cli.errors import CliError
from fastflow_events.errors import FastflowError
from rich.console import Console

from benchmarks import api, git, hostile, idle, latency, live, load, logs, output, post, rebuild, results, scheduler
from benchmarks.machine import describe
from benchmarks.measure import CannotMeasureError
from benchmarks.results import Figure

BENCHMARKS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "latency": latency.measure,
    "post": post.measure,
    "rebuild": rebuild.measure,
    "logs": logs.measure,
    "output": output.measure,
    "hostile": hostile.measure,
    "live": live.measure,
    "load": load.measure,
    "idle": idle.measure,
    "git": git.measure,
    "scheduler": scheduler.measure,
    "api": api.measure,
}
FAILURES = (
    CannotMeasureError,
    CliError,
    FastflowError,
    httpx.HTTPError,
    nats.errors.Error,
    OSError,
    subprocess.SubprocessError,
)
CANNOT_MEASURE, USAGE_ERROR = 1, 2


async def measure(names: Sequence[str], console: Console) -> tuple[list[Figure], list[str]]:
    """The figures of these benchmarks, and why some are missing."""
    figures: list[Figure] = []
    missing: list[str] = []
    for name in names:
        began = time.monotonic()
        with console.status(f"measuring {name}"):
            try:
                figures += await BENCHMARKS[name]()
            except FAILURES as exc:
                missing.append(f"{name} cannot be measured: {exc or type(exc).__name__}")
        console.print(f"{name}: {time.monotonic() - began:.0f} s")
    return figures, missing


def main(arguments: Sequence[str]) -> int:
    """Measure what is named, or everything."""
    console = Console()
    names = [name for argument in arguments for name in argument.split(",")] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        console.print(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
        return USAGE_ERROR
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    figures, missing = asyncio.run(measure(names, console))
    results.write(figures)
    if figures:
        results.show(console, figures, describe())
    for reason in missing:
        console.print(reason, style="red", markup=False)
    console.print(f"written to {results.FILE}", markup=False)
    return CANNOT_MEASURE if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
