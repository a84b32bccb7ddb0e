"""Runners over HTTP: what their heartbeats say, and who is silent."""

from pathlib import Path

import httpx
import pytest
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import Disk, Standby, beat
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, heartbeat, run_claimed, run_dispatched, run_requested
from fastflow_gateway.testing import caught_up, running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats


async def test_a_runner_tells_of_itself_and_a_silent_one_is_told_by_its_runs(
    nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    alive = heartbeat(
        "here",
        running=1,
        versions={"docker": "27.0"},
        standby=Standby(waiting=2, most=4),
        disk=Disk(free_bytes=10, size_bytes=100),
    )
    await beat(nc, alive)
    for run, runner in (("r1", "here"), ("r2", "away")):
        facts = [run_requested(), run_dispatched(), run_claimed(runner=runner)]
        await jetstream_log.append(Position(aggregate="run", id=run), facts, cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await caught_up(client.get, jetstream_log)
        away, here = (await client.get("/api/runners")).json()["items"]
    assert (away["name"], away["alive"], away["used"], away["runs"]) == ("away", False, 1, ["r2"])
    assert (away["slots"], away["last_heartbeat"], away["versions"]) == (None, None, None)
    assert (here["name"], here["alive"], here["slots"], here["used"], here["runs"]) == ("here", True, 4, 1, ["r1"])
    assert here["versions"] == {"fastflow": "0", "docker": "27.0"}
    assert here["standby"] == {"waiting": 2, "most": 4}
    assert here["disk"] == {"free_bytes": 10, "size_bytes": 100}
    assert here["last_heartbeat"] == "2026-03-01T12:00:00Z"
