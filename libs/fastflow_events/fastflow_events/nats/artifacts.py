"""Files that runs left behind: one object per file in the object store `fastflow-artifacts`.

The runner that holds the attempt writes, the gateway reads, age deletes.
"""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime

import msgspec
import nats.errors
from msgspec import Struct
from nats.aio.client import Client
from nats.js.errors import APIError
from nats.nuid import NUID

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats import objects
from fastflow_events.nats.direct_get import get_all, get_batch
from fastflow_events.nats.objects import ACK_TIMEOUT_S, Content, ObjectInfo
from fastflow_events.nats.topology import ARTIFACTS, ARTIFACTS_BUCKET
from fastflow_events.service import telemetry


class Artifact(Struct, frozen=True, kw_only=True):
    """One file of one attempt."""

    run_id: str
    attempt: int
    path: str
    """Below the artifacts folder, or below the working folder."""

    @property
    def name(self) -> str:
        """Name of the object."""
        return f"{self.run_id}/{self.attempt}/{self.path}"


async def store_artifact(nc: Client, artifact: Artifact, pieces: AsyncIterable[bytes], *, at: datetime) -> Content:
    """Store a file; whoever stores it again replaces it.

    Raises:
        StoreFullError: there is no room.
        InfrastructureError: the store did not answer, or is not ours.
    """
    try:
        nuid = NUID().next().decode()
        content = await objects.publish(nc, ARTIFACTS_BUCKET, nuid, pieces, what="an artifact")
        description = objects.describe(ARTIFACTS_BUCKET, artifact.name, content, at.isoformat())
        subject = objects.meta_subject(ARTIFACTS_BUCKET, artifact.name)
        await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(subject, description)
    except APIError as exc:
        raise objects.refusal("an artifact", exc.err_code, exc.description) from exc
    except (nats.errors.Error, TimeoutError) as exc:
        raise InfrastructureError(f"an artifact was not stored: {exc!r}") from exc
    return content


async def find_artifact(nc: Client, artifact: Artifact, sha256: str) -> Content | None:
    """What is stored of a file with this digest, which its fact tells; None when there is nothing, or nothing any more.

    Others with a runner's key may have described something else under its name, before or after.

    Raises:
        InfrastructureError: the server did not answer.
    """
    content: Content | None = None
    described = objects.meta_subject(ARTIFACTS_BUCKET, artifact.name)
    async for stored in get_all(nc, ARTIFACTS, subject=described):
        try:
            info = msgspec.json.decode(stored.data, type=ObjectInfo)
            if info.sha256 == sha256 and not info.deleted:
                content = Content(nuid=info.nuid, sha256=sha256, size_bytes=info.size, chunks=info.chunks)
        except msgspec.MsgspecError as exc:
            telemetry.unreadable(stored.subject, stored.seq, exc)
    if content is None:
        return None
    subject = objects.chunk_subject(ARTIFACTS_BUCKET, content.nuid)
    there = not content.chunks or await get_batch(nc, ARTIFACTS, subject=subject, after_seq=0, limit=1)
    return content if there else None


def read_artifact(nc: Client, content: Content) -> AsyncIterator[bytes]:
    """Yield the bytes of a file as they are read; the digest is verified behind the last of them."""
    return objects.read(nc, ARTIFACTS_BUCKET, content, what="the artifact")
