"""From what an attempt has used so far to what it uses, its peaks, and the soft limits it passes; pure."""

from typing import NamedTuple

from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.output import Sample
from msgspec import Struct

from fastflow_runner.core.usage import Usage
from fastflow_runner.ports import Started

LEAST_S = 0.2
"""Over less than this a rate says nothing: clocks and counters are coarse."""


class Peaks(Struct, frozen=True, kw_only=True):
    """The most that was seen; None when nothing was."""

    memory_bytes: int | None = None
    cpus: float | None = None
    last: Sample | None = None


class Excess(NamedTuple):
    """A soft limit that was passed."""

    kind: str
    limit: float
    measured: float


class Gauge:
    """Measures one attempt."""

    def __init__(self, limits: Limits, started: Started) -> None:
        """Nothing was used by the start of user code."""
        self.peaks = Peaks()
        self._limits = limits
        self._said: set[str] = set()
        self._network = started.network
        self._before: Usage | None = Usage(at=started.at, cpu_s=0.0, memory_bytes=0)

    def recall(self, sample: Sample) -> None:
        """Take in what was measured before a restart."""
        self.peaks = _higher(self.peaks, sample)
        self._before = None

    def read(self, usage: Usage) -> Sample | None:
        """The sample that follows from a reading; None where nothing can be told from it alone."""
        before = self._before
        elapsed_s = (usage.at - before.at).total_seconds() if before else 0.0
        if before and 0 <= elapsed_s < LEAST_S:
            return None
        self._before = usage
        if before is None or elapsed_s < 0:
            return None
        sample = Sample(
            at=usage.at,
            cpus=round(max(usage.cpu_s - before.cpu_s, 0.0) / elapsed_s, 4),
            memory_bytes=usage.memory_bytes,
            received_bytes=_since(usage.received_bytes, self._network and self._network[0]),
            sent_bytes=_since(usage.sent_bytes, self._network and self._network[1]),
            read_bytes=usage.read_bytes,
            written_bytes=usage.written_bytes,
        )
        self.peaks = _higher(self.peaks, sample)
        return sample

    def excesses(self, sample: Sample) -> list[Excess]:
        """Soft limits that the sample is the first to pass."""
        limits = self._limits
        measured = {
            "memory_bytes": (limits.soft_memory_bytes, sample.memory_bytes),
            "cpus": (limits.soft_cpus, sample.cpus),
        }
        passed = [
            Excess(kind, float(limit), float(value))
            for kind, (limit, value) in measured.items()
            if limit is not None and value > limit and kind not in self._said
        ]
        self._said.update(excess.kind for excess in passed)
        return passed


def _higher(peaks: Peaks, sample: Sample) -> Peaks:
    return Peaks(
        memory_bytes=max(peaks.memory_bytes or 0, sample.memory_bytes),
        cpus=max(peaks.cpus or 0.0, sample.cpus),
        last=sample,
    )


def _since(now: int | None, then: int | None) -> int | None:
    return None if now is None or then is None else max(now - then, 0)
