"""Pairs of measurements, taken in turn, so that a busy moment of the machine meets both sides."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median, quantiles

from msgspec import Struct

Measure = Callable[[], Awaitable[float]]


class CannotMeasureError(Exception):
    """Something a benchmark needs is missing or went wrong; the message says what."""


class Sample(Struct, frozen=True):
    """One figure, measured several times."""

    value: float
    low: float
    high: float


def sample(values: Sequence[float]) -> Sample:
    """The median, with the smallest and the largest value."""
    return Sample(median(values), min(values), max(values))


def percentile(values: Sequence[float], percent: int) -> Sample:
    """A percentile, with the smallest and the largest value."""
    return Sample(quantiles(values, n=100, method="inclusive")[percent - 1], min(values), max(values))


def exactly(value: float) -> Sample:
    """A figure that is known or was measured once."""
    return Sample(value, value, value)


async def interleaved(
    ours: Measure, bare: Measure, *, rounds: int, warm_up: int = 1
) -> tuple[list[float], list[float]]:
    """Values of both sides, one of ours and one of the baseline in turn; the warm-up rounds are not among them."""
    pairs = [(await ours(), await bare()) for _ in range(warm_up + rounds)][warm_up:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


async def seconds(work: Awaitable[object]) -> float:
    """How long the work took."""
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def until(condition: Callable[[], Awaitable[bool]], what: str, *, within_s: float, every_s: float) -> None:
    """Return once the condition holds.

    Raises:
        CannotMeasureError: it does not, in time.
    """
    deadline = time.monotonic() + within_s
    while not await condition():
        if time.monotonic() > deadline:
            raise CannotMeasureError(f"{what}: not within {within_s:g} s")
        await asyncio.sleep(every_s)


def machine_cpu_s() -> float:
    """Seconds all processors together have worked since the machine started.

    Raises:
        CannotMeasureError: this system has no /proc/stat.
    """
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except FileNotFoundError as exc:
        raise CannotMeasureError("the machine's processor time is known on Linux only") from exc
    user, nice, system, _idle, _iowait, irq, softirq = (int(field) for field in fields[1:8])
    return (user + nice + system + irq + softirq) / 100
