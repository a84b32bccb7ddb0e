"""What one attempt used, in few points: all of its samples are read, however many there are."""

from fastflow_events.output import Sample

from fastflow_gateway.core.sample_buckets import BucketResponse, buckets_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers

_BATCH = 10_000
_MOST = 2_000_000
"""Samples; about as many as three weeks have seconds."""


async def buckets_of_run(deps: Deps, run_id: str, attempt: int | None, points: int) -> list[BucketResponse]:
    """The newest attempt unless another is named.

    Raises:
        NotFoundError: there is no such run.
    """
    row = await find_run(deps, run_id)
    wanted, writers = attempt or row.attempt, Writers(deps.log, run_id)
    samples: list[Sample] = []
    seq = 0
    while len(samples) < _MOST:
        found = await deps.samples.read(run_id, after_seq=seq, limit=_BATCH)
        samples += [stored.sample for stored in await writers.only(found) if stored.attempt == wanted]
        if len(found) < _BATCH:
            break
        seq = found[-1].seq
    return buckets_of(samples, points)
