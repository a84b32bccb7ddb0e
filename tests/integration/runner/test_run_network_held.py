"""What holds the networks of runs closed: a pause container that can do it, and can do nothing else afterwards."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient
from fastflow_rules.definition.reaching import Network
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import RUN_UID, Deployment
from fastflow_runner.ports import NotClosedError
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.executor_contract import read_all
from fastflow_runner.testing.socket_proxy import socket_proxy
from fastflow_runner.testing.standby import DEPLOYMENT, NAMESPACE, OWNER, a_run, executed, kept, seen, waits

pytestmark = pytest.mark.docker
UNCLOSED = "the network of runs cannot be closed here: the engine's kernel takes no rules of nftables"
LIMITED: list[Network] = ["internet", ("10.0.0.0/8",)]


async def test_where_the_kernel_cannot_close_a_network_no_run_is_started(
    engine: str, tmp_path: Path, person: DockerClient
) -> None:
    name = f"fastflow-unclosed-{os.getpid()}:latest"
    (tmp_path / "Dockerfile").write_text(
        "FROM fastflow-worker:latest\nUSER 0:0\nRUN ln -sf /bin/false $(command -v nft)\n"
    )
    person.images.build(path=str(tmp_path), tag=name, rm=True)
    deployment = Deployment(installation=INSTALLATION, image=name, network="bridge", volume=DEPLOYMENT.volume)
    try:
        with socket_proxy(tmp_path, engine=engine, deployment=deployment) as url:
            async with kept(url, standby=0, deployment=deployment) as executor:
                for network in LIMITED:
                    launch = await a_run(executor, network=network)
                    with pytest.raises(NotClosedError, match=UNCLOSED):
                        await executor.launch(launch)
                    assert await executor.started(launch.ref) is None
                printed, _ = await executed(executor, await a_run(executor, "print('ran')", network="none"))
                assert printed == "ran"
    finally:
        person.images.remove(name, force=True)


async def test_a_pause_container_holds_no_power_once_its_network_is_closed(proxy: str, person: DockerClient) -> None:
    async with kept(proxy, standby=1, deployment=DEPLOYMENT) as executor:
        await waits(executor)
        [net] = [net for net in seen(person, "net") if net.status == "running"]
        found: Any = await asyncio.to_thread(
            lambda: net.exec_run(["cat", "/proc/1/status"], user=f"{RUN_UID}:{RUN_UID}")
        )
        assert found.exit_code == 0
        status = dict(line.split(":\t", 1) for line in found.output.decode().splitlines() if ":\t" in line)
        assert status["Uid"].split() == [str(RUN_UID)] * 4
        assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        [worker] = [one for one in seen(person, "standby") if one.status == "running"]
        assert not worker.attrs["HostConfig"]["CapAdd"]


async def test_a_network_that_another_process_has_left_is_not_taken_for_a_new_one(proxy: str) -> None:
    async with kept(proxy, standby=0) as before:
        live = await a_run(before, f"{NAMESPACE}\nprint('', flush=True)\nimport time; time.sleep(600)")
        await before.launch(live)
        # The next process has not looked around yet.
        after = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key")
        printed, _ = await executed(after, await a_run(after, NAMESPACE))
        after.close()
        await before.stop(live.ref, grace_s=0)
        out, _ = await read_all(before, live)
        assert printed != out.decode().strip()
        await before.remove(live.ref)
