"""How a runner gets its key and its account, and what no runner can be called."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import (
    RequestRun,
)
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.nats.leases import beat, heartbeats
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import (
    CAUSE,
    heartbeat,
    run_requested,
)
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from nats.aio.msg import Msg

pytestmark = pytest.mark.nats


@pytest.mark.parametrize(
    "name", ["deployer", "gateway", "external", "scheduler", "git_sync", "", "../x", "a b", "é", ".a"]
)
def test_no_runner_is_called_like_a_service_or_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractError):
        make_keys(tmp_path / "keys", runners=[name])
    assert not (tmp_path / "keys").exists()


def test_names_that_look_alike_are_two_runners(tmp_path: Path) -> None:
    names = ["a-b", "a_b", "A_B", "a.b", "A-B"]
    public = make_keys(tmp_path, runners=names)
    assert len({public[name] for name in names}) == len(names)
    text = (tmp_path / PUBLIC_FILE).read_text()
    assert all(text.count(f'nkey: "{public[name]}"') == 1 for name in names)


async def test_a_runner_is_added_by_one_command_and_reloads_and_nobody_is_disturbed(tmp_path: Path) -> None:
    keys, pid = tmp_path / "keys", tmp_path / "pid"
    config = f'include "../keys/{PUBLIC_FILE}"\npid_file: "{pid}"\n'
    before = make_keys(keys)
    with nats_server(tmp_path / "nats", config=config) as url:

        def settings(user: str) -> Settings:
            return Settings(nats_url=url, nats_seed_file=seed_path(keys, user))

        async with (
            connect(settings("deployer"), "d") as deployer,
            connect(settings("runner-1"), "r1") as first,
            connect(settings("gateway"), "g") as gateway,
            connect(settings("scheduler"), "s") as scheduler,
        ):
            await deploy(deployer)
            after = make_keys(keys, runners=["gpu.2"])
            assert {**before, **after} == after

            async def joined() -> bool:
                # The server knows what a new account imports from the second reload on.
                os.kill(int(pid.read_text()), signal.SIGHUP)
                try:
                    async with connect(settings("gpu.2"), "r2") as second:
                        rung = asyncio.Event()

                        async def ring(_: Msg) -> None:
                            rung.set()

                        await second.subscribe(subjects.FEED, cb=ring)
                        await second.flush()
                        await beat(second, heartbeat("gpu.2"))
                        log = JetStreamLog(gateway, source="/fastflow/gateway/1")
                        id = f"r-{gateway.stats['out_msgs']}"
                        await execute(log, run_decider, id, RequestRun(request=run_requested()), cause=CAUSE)
                        await asyncio.wait_for(rung.wait(), 2)
                        return True
                except (InfrastructureError, TimeoutError):
                    return False

            await eventually(joined, within_s=60)
            await beat(first, heartbeat("runner-1"))
            assert set(await heartbeats(scheduler)) == {"runner-1", "gpu.2"}
            assert [nc.stats["reconnects"] for nc in (first, gateway, scheduler, deployer)] == [0] * 4
            seed_path(keys, "gpu.2").unlink()
            assert make_keys(keys) == before
