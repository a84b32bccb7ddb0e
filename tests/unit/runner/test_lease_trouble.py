"""A runner without a lease says so, because it starts nothing new."""

from datetime import datetime, timedelta

from fastflow_events.nats.leases import Heartbeat
from fastflow_events.nats.topology import HEARTBEAT_TTL_S
from fastflow_events.testing.builders import NOON
from fastflow_runner.lease import Lease


class Memory:
    """The last heartbeat, in memory."""

    def __init__(self) -> None:
        self.seq = 0

    async def read(self, runner: str) -> tuple[Heartbeat, int] | None:
        """Nobody has the id."""
        return None

    async def write(self, heartbeat: Heartbeat, *, expected_seq: int) -> int:
        """Take it."""
        self.seq += 1
        return self.seq


async def test_a_runner_is_ready_from_its_first_heartbeat_until_its_lease_has_run_out() -> None:
    now = NOON

    def clock() -> datetime:
        return now

    heartbeat = Heartbeat(
        runner="r1",
        incarnation="i1",
        engine="e1",
        executor="process",
        slots=1,
        running=0,
        pools=("default",),
        version="0",
        at=NOON,
    )
    lease = Lease(Memory(), heartbeat, running=lambda: 0, clock=clock)
    assert lease.trouble() == "no heartbeat is stored yet"
    await lease.take(None)
    now += timedelta(seconds=HEARTBEAT_TTL_S)
    assert not lease.trouble()
    now += timedelta(seconds=5)
    assert lease.trouble() == "no heartbeat was stored for 20 s"
