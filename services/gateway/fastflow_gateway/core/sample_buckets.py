"""What a run used, in so few points that they can be drawn: stretches of time of one length."""

from collections.abc import Sequence
from datetime import datetime

from fastflow_events.output import Sample
from msgspec import Struct


class Spread(Struct, frozen=True, kw_only=True):
    """How a number spread over a stretch of time."""

    min: float
    mean: float
    max: float


class BucketResponse(Struct, frozen=True, kw_only=True):
    """The samples of a stretch of time."""

    at: datetime
    """Of its first sample."""
    until: datetime
    """Of its last one."""
    samples: int
    cpus: Spread
    memory_bytes: Spread
    received_bytes: int | None
    """Since the attempt began, at the end of the stretch; null where nobody knows. So are the following."""
    sent_bytes: int | None
    read_bytes: int | None
    written_bytes: int | None


def buckets_of(samples: Sequence[Sample], points: int) -> list[BucketResponse]:
    """At most so many; those that would be empty are left out."""
    if not samples:
        return []
    ordered = sorted(samples, key=lambda sample: sample.at)
    first, last = ordered[0].at, ordered[-1].at
    length_s = max((last - first).total_seconds() / points, 1e-6)
    found: dict[int, list[Sample]] = {}
    for sample in ordered:
        n = min(int((sample.at - first).total_seconds() / length_s), points - 1)
        found.setdefault(n, []).append(sample)
    return [_bucket(some) for some in found.values()]


def _bucket(samples: Sequence[Sample]) -> BucketResponse:
    last = samples[-1]
    return BucketResponse(
        at=samples[0].at,
        until=last.at,
        samples=len(samples),
        cpus=_spread([sample.cpus for sample in samples]),
        memory_bytes=_spread([sample.memory_bytes for sample in samples]),
        received_bytes=last.received_bytes,
        sent_bytes=last.sent_bytes,
        read_bytes=last.read_bytes,
        written_bytes=last.written_bytes,
    )


def _spread(numbers: Sequence[float]) -> Spread:
    low, high = min(numbers), max(numbers)
    # A sum of many is off by a little; a mean never lies outside of what it is the mean of.
    return Spread(min=low, mean=min(max(sum(numbers) / len(numbers), low), high), max=high)
