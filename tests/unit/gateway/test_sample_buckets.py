"""Usage in few points: nothing that was measured is left out, and no peak is smoothed away."""

from datetime import timedelta
from itertools import pairwise

from fastflow_events.output import Sample
from fastflow_events.testing.builders import NOON
from fastflow_gateway.core.sample_buckets import buckets_of
from hypothesis import given
from hypothesis import strategies as st

samples = st.lists(
    st.builds(
        Sample,
        at=st.integers(0, 10**6).map(lambda s: NOON + timedelta(seconds=s / 7)),
        cpus=st.floats(0, 64),
        memory_bytes=st.integers(0, 1 << 40),
    ),
    max_size=50,
)


@given(samples, st.integers(1, 20))
def test_every_sample_is_in_one_bucket_and_every_peak_is_seen(measured: list[Sample], points: int) -> None:
    buckets = buckets_of(measured, points)
    assert len(buckets) <= points
    assert sum(bucket.samples for bucket in buckets) == len(measured)
    assert all(before.until <= after.at for before, after in pairwise(buckets))
    for spread, numbers in (
        ([bucket.cpus for bucket in buckets], [sample.cpus for sample in measured]),
        ([bucket.memory_bytes for bucket in buckets], [sample.memory_bytes for sample in measured]),
    ):
        assert max((each.max for each in spread), default=0) == max(numbers, default=0)
        assert min((each.min for each in spread), default=0) == min(numbers, default=0)
        assert all(each.min <= each.mean <= each.max for each in spread)
