"""Samples in `FASTFLOW_SAMPLES`."""

from collections.abc import AsyncIterator, Collection

from fastflow_events import subjects
from fastflow_events.errors import ContractError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.direct_get import get_all
from fastflow_events.nats.storing import translated
from fastflow_events.nats.topology import SAMPLES
from fastflow_events.output import Sample, decode_sample, encode_sample

from fastflow_runner.ports import AttemptRef

ACK_TIMEOUT_S = 2.0


class NatsSamples:
    """`SampleStore` on JetStream."""

    def __init__(self, nc: Connection, runner: str) -> None:
        self._nc = nc
        self._runner = runner
        self._js = nc.jetstream(timeout=ACK_TIMEOUT_S)

    async def add(self, ref: AttemptRef, sample: Sample) -> None:
        """Store a sample."""
        self._nc.check_connected()
        with translated("a sample cannot be stored"):
            await self._js.publish(subjects.sample(ref.run_id, ref.attempt, self._runner), encode_sample(sample))

    async def read(self, ref: AttemptRef, holders: Collection[str]) -> AsyncIterator[Sample]:
        """Yield every sample that these runners stored of an attempt, oldest first for each."""
        for runner in holders:
            async for stored in get_all(self._nc, SAMPLES, subject=subjects.sample(ref.run_id, ref.attempt, runner)):
                try:
                    yield decode_sample(stored.data)
                except ContractError:
                    continue
