"""Standby workers on a real engine, through the shipped policy; past the proxy only where a person would be."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from docker import DockerClient
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.testing.eventually import eventually
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.ports import Launch
from fastflow_runner.testing.builders import a_launch, bundle_of
from fastflow_runner.testing.executor_contract import read_all
from fastflow_runner.testing.socket_proxy import forget_tools, free_port, socket_proxy
from fastflow_runner.testing.standby import (
    DEPLOYMENT,
    NAMESPACE,
    OWNER,
    a_run,
    executed,
    kept,
    seen,
    standby,
    waits,
)

pytestmark = pytest.mark.docker
MB = 1 << 20


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    async with kept(proxy) as executor:
        yield executor


async def test_an_attempt_takes_a_worker_that_waits(executor: DockerExecutor, person: DockerClient) -> None:
    worker, launch = standby(person), await a_run(executor, "import time\nprint('on')\ntime.sleep(60)")
    began = await executor.launch(launch)
    assert began.manifest.container == DEPLOYMENT.names.of(launch.ref)
    assert person.containers.get(DEPLOYMENT.names.of(launch.ref)).id == worker.id
    assert [(found.ref, found.state) for found in await executor.found()] == [(launch.ref, "running")]
    assert await executor.started(launch.ref) == began
    assert await executor.launch(launch) == began
    await executor.stop(launch.ref, grace_s=0)
    # Between the engine's SIGTERM and its SIGKILL the script may just end by the first.
    assert (await executor.wait(launch.ref, launch.nonce)).exit_code in (137, 143)
    await executor.remove(launch.ref)
    assert worker.id not in [container.id for container in person.containers.list(all=True, ignore_removed=True)]


async def test_a_worker_is_used_once(executor: DockerExecutor, person: DockerClient) -> None:
    used = []
    for _ in range(3):
        await waits(executor)
        used.append(standby(person).id)
        await executed(executor, await a_run(executor))
    assert len(set(used)) == 3


async def test_a_worker_gets_the_limits_of_its_attempt(executor: DockerExecutor, person: DockerClient) -> None:
    limits = Limits(memory_bytes=96 * MB, cpus=0.5, pids=77)
    worker, launch = standby(person), await a_run(executor, "import time\nprint('on')\ntime.sleep(60)", limits)
    await executor.launch(launch)
    container = person.containers.get(DEPLOYMENT.names.of(launch.ref))
    host = container.attrs["HostConfig"]
    assert container.id == worker.id
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (
        96 * MB,
        96 * MB,
        5 * 10**8,
        77,
    )
    assert host["RestartPolicy"]["Name"] == "no"
    await executor.stop(launch.ref, grace_s=0)
    await executor.remove(launch.ref)


async def test_a_run_without_a_limit_leaves_a_processor_to_the_others_and_says_so(
    executor: DockerExecutor, person: DockerClient
) -> None:
    left = max(int(person.info()["NCPU"]) - 1, 1)
    launch = await a_run(executor)
    started = await executor.launch(launch)
    host = person.containers.get(DEPLOYMENT.names.of(launch.ref)).attrs["HostConfig"]
    assert (host["NanoCpus"], started.manifest.cpus) == (left * 10**9, left)
    await executor.wait(launch.ref, launch.nonce)
    await executor.remove(launch.ref)


async def test_an_attempt_beyond_its_memory_ends_so_in_a_worker_too(executor: DockerExecutor) -> None:
    script = "print('on')\nblob = bytearray()\nwhile True: blob += bytes(1 << 20)"
    launch = await a_run(executor, script, Limits(memory_bytes=64 * MB))
    await executor.launch(launch)
    end = await executor.wait(launch.ref, launch.nonce)
    assert (end.oom_killed, end.signal, end.marker_code) == (True, 9, 137)
    await executor.remove(launch.ref)


async def test_limits_that_cannot_be_given_afterwards_take_the_cold_path(
    executor: DockerExecutor, person: DockerClient
) -> None:
    worker = standby(person)
    launch = await a_run(executor, "import time\nprint('on')\ntime.sleep(60)", Limits(memory_bytes=8 * MB))
    await executor.launch(launch)
    container = person.containers.get(DEPLOYMENT.names.of(launch.ref))
    assert (container.id != worker.id, container.attrs["HostConfig"]["Memory"]) == (True, 8 * MB)
    assert executor.waiting == 1
    assert executor.version
    await executor.stop(launch.ref, grace_s=0)
    await executor.remove(launch.ref)


async def test_limits_that_are_asked_for_again_wait_ready(executor: DockerExecutor, person: DockerClient) -> None:
    limits = Limits(memory_bytes=200 * MB, pids=99)
    await executed(executor, await a_run(executor, limits=limits))

    async def ready() -> bool:
        return any(worker.attrs["HostConfig"]["Memory"] == 200 * MB for worker in seen(person, "standby"))

    await eventually(ready, within_s=30)


async def test_a_pool_that_is_switched_off_makes_each_container_on_demand(proxy: str, person: DockerClient) -> None:
    async with kept(proxy, standby=0) as executor:
        await executed(executor, await a_run(executor))
        assert seen(person, "standby") == []
        # One network waits for the next attempt.
        await eventually(lambda: len(seen(person, "net")) <= 1, within_s=30)


async def test_attempts_beyond_the_pool_are_not_kept_waiting(executor: DockerExecutor) -> None:
    launches = [await a_run(executor) for _ in range(5)]
    results = await asyncio.gather(*(executed(executor, launch) for launch in launches))
    assert len(results) == 5


async def test_no_two_live_runs_share_a_network(executor: DockerExecutor) -> None:
    script = f"{NAMESPACE}\nimport time\ntime.sleep(2)"
    for _ in range(2):
        await waits(executor)
        launches = [await a_run(executor, script) for _ in range(4)]
        results = await asyncio.gather(*(executed(executor, launch) for launch in launches))
        assert len({namespace for namespace, _ in results}) == 4


async def test_a_namespace_serves_one_run_after_the_other(executor: DockerExecutor) -> None:
    namespaces = []
    for _ in range(6):
        await waits(executor)
        namespaces.append((await executed(executor, await a_run(executor)))[0])
    assert len(set(namespaces)) < 6


async def test_a_restarted_pause_container_voids_its_worker(executor: DockerExecutor, person: DockerClient) -> None:
    script = "import socket\nprint([name for _, name in socket.if_nameindex()])"
    launch, worker = await a_run(executor, script), standby(person)
    joined = worker.attrs["HostConfig"]["NetworkMode"].removeprefix("container:")
    person.containers.get(joined).restart(timeout=0)
    assert "eth0" in (await executed(executor, launch))[0]
    assert worker.id not in [container.id for container in person.containers.list(ignore_removed=True)]
    await waits(executor)
    assert "eth0" in (await executed(executor, await a_run(executor, script)))[0]


@pytest.mark.parametrize("what", ["kill", "restart", "remove"])
async def test_a_worker_that_somebody_touched_is_not_used(
    executor: DockerExecutor, person: DockerClient, what: str
) -> None:
    launch, worker = await a_run(executor), standby(person)
    match what:
        case "kill":
            worker.kill()
        case "restart":
            worker.restart(timeout=0)
        case _:
            worker.remove(force=True, v=True)
    await executed(executor, launch)
    await waits(executor)
    assert worker.id not in [container.id for container in person.containers.list(all=True, ignore_removed=True)]


async def retried(launch: Launch) -> Launch:
    return a_launch(launch.specification, launch.prepared)


async def test_two_runners_with_the_same_attempt_start_it_once_from_their_pools(
    proxy: str, engine: str, request: pytest.FixtureRequest
) -> None:
    other = f"{OWNER}-2"
    request.addfinalizer(lambda: forget_tools(engine, other, ""))
    async with kept(proxy, key=b"one") as one, kept(proxy, key=b"two", owner=other) as two:
        for _ in range(4):
            launch = await a_run(one, "import time\nprint('once')\ntime.sleep(0.5)")
            tree, bundle = bundle_of({"main.py": "import time\nprint('once')\ntime.sleep(0.5)"})
            await two.stage_code(tree, bundle)
            first, second = await asyncio.gather(one.launch(launch), two.launch(launch))
            assert first == second
            assert (await executed(one, launch))[0] == "once"


async def test_a_pool_without_demand_shrinks_to_one(executor: DockerExecutor, person: DockerClient) -> None:
    launches = [await a_run(executor) for _ in range(3)]
    await asyncio.gather(*(executed(executor, launch) for launch in launches))
    await waits(executor, 2)
    executor._pool.starts.clear()
    await eventually(lambda: executor.waiting == 1, within_s=30)

    async def few() -> bool:
        return len(seen(person, "standby")) == 1 and len(seen(person, "net")) <= 2

    await eventually(few, within_s=30)


async def test_a_pool_that_is_closed_leaves_nothing(proxy: str, person: DockerClient) -> None:
    async with kept(proxy) as executor:
        await executed(executor, await a_run(executor))
    assert (seen(person, "standby"), seen(person, "net")) == ([], [])


async def test_a_run_lives_on_when_its_pool_is_closed_and_its_namespace_with_it(
    proxy: str, person: DockerClient
) -> None:
    script = "import socket, sys\nprint('on')\nimport time\ntime.sleep(6)\nprint([n for _, n in socket.if_nameindex()])"
    async with kept(proxy) as first:
        launch = await a_run(first, script)
        await first.launch(launch)
    [net] = seen(person, "net")
    async with kept(proxy) as second:
        with pytest.raises(AssertionError):
            await eventually(lambda: net.id not in [found.id for found in seen(person, "net")], within_s=2)
        [worker] = seen(person, "standby")
        assert worker.attrs["HostConfig"]["NetworkMode"] != f"container:{net.id}"
        out, _ = await read_all(second, launch)
        assert b"eth0" in out
        assert (await second.wait(launch.ref, launch.nonce)).marker_code == 0
        await second.remove(launch.ref)


async def test_what_a_dead_runner_left_waiting_ends_by_itself_and_is_swept(proxy: str, person: DockerClient) -> None:
    dead = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", standby=2)
    keeping = asyncio.create_task(dead.keep())
    await waits(dead)
    worker = standby(person)
    # What the kernel does to a process that is killed: its connections are closed, and it says nothing any more.
    dead._pool.waiting.pop().stream.close()
    assert worker.wait()["StatusCode"] == 125
    keeping.cancel()
    await asyncio.wait([keeping])
    async with kept(proxy):
        assert worker.id not in [container.id for container in seen(person, "standby")]


async def test_a_proxy_that_restarts_costs_the_workers_but_no_run(engine: str, tmp_path: Path) -> None:
    port = free_port()
    with socket_proxy(tmp_path, engine=engine, deployment=DEPLOYMENT, port=port) as url:
        context = kept(url)
        executor = await context.__aenter__()
        launch = await a_run(executor)
    with socket_proxy(tmp_path, engine=engine, deployment=DEPLOYMENT, port=port):
        await executed(executor, launch)
        await waits(executor)
        await executed(executor, await retried(launch))
        await context.__aexit__(None, None, None)


async def test_secrets_are_not_in_the_configuration_of_a_worker(executor: DockerExecutor, person: DockerClient) -> None:
    launch = await a_run(executor, "import os\nprint(os.environ['TOKEN'])")
    launch = a_launch(launch.specification, launch.prepared, env={"TOKEN": "s3cr3t-value"})
    await executor.launch(launch)
    await executor.wait(launch.ref, launch.nonce)
    assert (await read_all(executor, launch))[0] == b"s3cr3t-value\n"
    assert "s3cr3t-value" not in str(person.containers.get(DEPLOYMENT.names.of(launch.ref)).attrs)
    await executor.remove(launch.ref)
