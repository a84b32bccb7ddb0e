"""A log that looks like one: whole stories of runs, written in large atomic batches."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from fastflow_events.envelope import body_of, headers_of, subject_of
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.run.events import Manifest
from fastflow_events.testing import builders
from nats.aio.client import Client

FACTS = 6
"""Of one run, from its request to its end."""
STORIES_AT_ONCE = 100


def story(number: int) -> list[Recorded]:
    """Every fact of one run that ended well."""
    manifest = Manifest(
        executor="docker",
        container=f"fastflow-{number}-1",
        image="sha256:" + "1" * 64,
        python="cpython 3.11.2",
        uv="0.9.0",
        environment="base-3.11.2",
    )
    facts = (
        builders.run_requested(pipeline=f"pipeline-{number % 40}", params={"day": str(number)}),
        builders.run_dispatched(),
        builders.run_claimed(),
        builders.run_started(manifest=manifest),
        builders.attempt_finished(output_lines=12, output_bytes=700, cpu_s=0.4, peak_memory_bytes=20_000_000),
        builders.run_finished(),
    )
    run_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"benchmark {number}"))
    return [
        Recorded(
            seq=0,
            aggregate="run",
            id=run_id,
            version=version,
            at=builders.NOON + timedelta(seconds=number, milliseconds=version),
            source="/fastflow/benchmark/1",
            cause=Cause(correlation_id=run_id, causation_id=f"run/{run_id}/{version - 1}" if version > 1 else None),
            fact=fact,
        )
        for version, fact in enumerate(facts, start=1)
    ]


async def write(nc: Client, first: int, stories: int) -> None:
    """Append that many stories, from number `first` on."""
    for start in range(first, first + stories, STORIES_AT_ONCE):
        numbers = range(start, min(start + STORIES_AT_ONCE, first + stories))
        await _batch(nc, [recorded for number in numbers for recorded in story(number)])


async def _batch(nc: Client, batch: Sequence[Recorded]) -> None:
    js, batch_id = nc.jetstream(timeout=30), uuid.uuid4().hex
    for number, recorded in enumerate(batch, start=1):
        headers = headers_of(recorded) | {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
        if number < len(batch):
            await nc.publish(subject_of(recorded), body_of(recorded.fact), headers=headers)
        else:
            await js.publish(subject_of(recorded), body_of(recorded.fact), headers=headers | {"Nats-Batch-Commit": "1"})
