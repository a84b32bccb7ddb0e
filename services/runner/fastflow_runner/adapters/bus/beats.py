"""Heartbeats in the bucket `fastflow-runners`."""

from fastflow_events.nats.leases import Heartbeat, beat, heartbeat_of
from nats.aio.client import Client


class NatsBeats:
    """`Beats` on JetStream."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def read(self, runner: str) -> tuple[Heartbeat | None, int] | None:
        """The live heartbeat under a runner id and its position; what is none has a position only."""
        return await heartbeat_of(self._nc, runner)

    async def write(self, heartbeat: Heartbeat, *, expected_seq: int) -> int:
        """Store a heartbeat; returns its position."""
        return await beat(self._nc, heartbeat, expected_seq=expected_seq)
