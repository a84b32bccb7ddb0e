"""A log that looks like one: whole stories of runs, written in large atomic batches."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice

from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.envelope import body_of, headers_of, subject_of
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.testing import builders
from nats.aio.client import Client

FACTS = 6
"""Of one run, from its request to its end."""
AT_ONCE = 600
"""Facts of one atomic batch."""


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
    await append(nc, (recorded for number in range(first, first + stories) for recorded in story(number)))


async def append(nc: Client, recorded: Iterable[Recorded]) -> None:
    """Append facts in large batches, each of them whole or not at all."""
    rest = iter(recorded)
    while batch := list(islice(rest, AT_ONCE)):
        await _batch(nc, batch)


async def _batch(nc: Client, batch: Sequence[Recorded]) -> None:
    js, batch_id = nc.jetstream(timeout=30), uuid.uuid4().hex
    if len(batch) == 1:
        await js.publish(subject_of(batch[0]), body_of(batch[0].fact), headers=headers_of(batch[0]))
        return
    for number, recorded in enumerate(batch, start=1):
        headers = headers_of(recorded) | {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
        if number < len(batch):
            await nc.publish(subject_of(recorded), body_of(recorded.fact), headers=headers)
        else:
            await js.publish(subject_of(recorded), body_of(recorded.fact), headers=headers | {"Nats-Batch-Commit": "1"})
