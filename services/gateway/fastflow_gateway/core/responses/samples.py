"""How a sample of what a run used looks to people."""

from datetime import datetime

from msgspec import Struct

from fastflow_gateway.ports import StoredSample


class SampleResponse(Struct, frozen=True, kw_only=True):
    """What an attempt used at one moment; null where nobody knows."""

    attempt: int
    at: datetime
    cpus: float
    """Processors in use since the sample before."""
    memory_bytes: int
    """Working set, without the page cache."""
    received_bytes: int | None
    """Over the network, since the attempt began; so are the following."""
    sent_bytes: int | None
    read_bytes: int | None
    """From disks."""
    written_bytes: int | None


def show_sample(stored: StoredSample) -> SampleResponse:
    """The sample with the attempt that it is of."""
    sample = stored.sample
    return SampleResponse(
        attempt=stored.attempt,
        at=sample.at,
        cpus=sample.cpus,
        memory_bytes=sample.memory_bytes,
        received_bytes=sample.received_bytes,
        sent_bytes=sample.sent_bytes,
        read_bytes=sample.read_bytes,
        written_bytes=sample.written_bytes,
    )
