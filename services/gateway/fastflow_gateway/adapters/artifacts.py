"""What runs left behind and what they used, out of the object store and `FASTFLOW_SAMPLES`."""

from collections.abc import AsyncIterator

from fastflow_events import subjects
from fastflow_events.errors import ContractError
from fastflow_events.nats import topology
from fastflow_events.nats.artifacts import Artifact, find_artifact, read_artifact
from fastflow_events.nats.direct_get import get_batch
from fastflow_events.output import decode_sample
from fastflow_events.service import telemetry
from nats.aio.client import Client

from fastflow_gateway.ports import StoredSample


class StoredArtifacts:
    """`Artifacts` on the bucket `fastflow-artifacts`."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def open(self, run_id: str, attempt: int, path: str, sha256: str) -> AsyncIterator[bytes] | None:
        """The bytes of a file with this digest; None when it is not stored any more."""
        content = await find_artifact(self._nc, Artifact(run_id=run_id, attempt=attempt, path=path), sha256)
        return None if content is None else read_artifact(self._nc, content)


class JetStreamSamples:
    """`Samples` over one NATS connection."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def read(self, run_id: str, *, after_seq: int, limit: int) -> list[StoredSample]:
        """Samples behind a position; what is no sample is counted and stepped over."""
        found: list[StoredSample] = []
        subject = subjects.samples_of_run(run_id)
        while len(found) < limit:
            wanted = limit - len(found)
            stored = await get_batch(self._nc, topology.SAMPLES, subject=subject, after_seq=after_seq, limit=wanted)
            for message in stored:
                try:
                    attempt, runner = subjects.writer_of_output(message.subject)
                    found.append(StoredSample(message.seq, attempt, decode_sample(message.data), runner))
                except ContractError as exc:
                    telemetry.unreadable(message.subject, message.seq, exc)
            if len(stored) < wanted:
                break
            after_seq = stored[-1].seq
        return found
