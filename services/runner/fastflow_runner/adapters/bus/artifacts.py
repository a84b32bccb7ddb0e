"""Artifacts in the bucket `fastflow-artifacts`."""

from collections.abc import AsyncIterable

from fastflow_events.nats.artifacts import Artifact, store_artifact
from fastflow_events.nats.objects import Content
from fastflow_events.service.clock import Clock
from nats.aio.client import Client


class NatsArtifacts:
    """`ArtifactStore` on JetStream."""

    def __init__(self, nc: Client, clock: Clock) -> None:
        self._nc = nc
        self._clock = clock

    async def store(self, artifact: Artifact, pieces: AsyncIterable[bytes]) -> Content:
        """Store a file."""
        return await store_artifact(self._nc, artifact, pieces, at=self._clock())
