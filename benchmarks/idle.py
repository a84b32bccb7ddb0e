"""What an installation costs while nothing happens."""

import asyncio
import os
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.measure import CannotMeasureError, exactly
from benchmarks.results import Budget, Figure
from benchmarks.scripts import PLAIN
from benchmarks.system import system

MONOLITH_MB = 156.0
"""PSS of the tool this replaces, one process, as measured once."""
RUNS_BEFORE = 3
SETTLE_S, WATCH_S = 5.0, 30.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


async def measure() -> list[Figure]:
    """Memory and processor time of the four services and NATS, after a few runs."""
    async with system() as ours:
        for _ in range(RUNS_BEFORE):
            await ours.first_line(PLAIN)
        await asyncio.sleep(SETTLE_S)
        pids = [pid for name, pid in ours.installation.supervisor.pids().items() if name != "proxy"]
        began, before = time.perf_counter(), cpu_s(pids)
        await asyncio.sleep(WATCH_S)
        used, watched = cpu_s(pids) - before, time.perf_counter() - began
        memory = pss_mb(pids)
    return [
        Figure(
            name="idle: memory of four services and NATS (PSS)",
            ours=exactly(memory),
            bare=exactly(MONOLITH_MB),
            unit="MB",
            against="one process that did it all",
            budget=Budget(2.0),
        ),
        Figure(
            name=f"idle: processor time over {WATCH_S:g} s",
            ours=exactly(100 * used / watched),
            bare=exactly(100),
            unit="%",
            against="one core",
            budget=Budget(0.01),
        ),
    ]


def pss_mb(pids: Iterable[int]) -> float:
    """Memory of the processes, shared pages counted once.

    Raises:
        CannotMeasureError: the system does not tell.
    """
    try:
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    except OSError as exc:
        raise CannotMeasureError(f"memory is known on Linux only: {exc}") from exc
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("Pss:")) / 1000


def cpu_s(pids: Iterable[int]) -> float:
    """Processor seconds of the processes so far.

    Raises:
        CannotMeasureError: the system does not tell.
    """
    try:
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    except OSError as exc:
        raise CannotMeasureError(f"processor time is known on Linux only: {exc}") from exc
    return sum(int(field[11]) + int(field[12]) for field in fields) / TICKS_PER_S
