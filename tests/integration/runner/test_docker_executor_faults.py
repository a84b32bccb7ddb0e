"""The docker executor while everything around it fails; past the proxy only where a person would be."""

import asyncio
import io
import os
import tarfile
from collections.abc import AsyncIterator
from hashlib import sha1
from pathlib import Path

import pytest
import zstandard
from docker import DockerClient
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.engine import Engine, Stream
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.bounds import Machine, bounds_of
from fastflow_runner.core.container_spec import RUN_UID, Deployment, run_body
from fastflow_runner.entry.sealed import seal
from fastflow_runner.ports import Launch
from fastflow_runner.testing.builders import INSTALLATION, a_launch, a_specification, bundle_of
from fastflow_runner.testing.executor_contract import read_all
from fastflow_runner.testing.order_contract import runs_once
from fastflow_runner.testing.socket_proxy import socket_proxy

pytestmark = pytest.mark.docker
OWNER = f"faults-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")


def an_executor(url: str) -> DockerExecutor:
    return DockerExecutor(url, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0)


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = an_executor(proxy)
    yield executor
    executor.close()


@pytest.fixture
async def other(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = an_executor(proxy)
    yield executor
    executor.close()


@pytest.fixture
async def dying(proxy: str) -> AsyncIterator[Engine]:
    """The connection of a runner that is killed half way."""
    engine = Engine(proxy, DEPLOYMENT)
    yield engine
    engine.close()


async def made(executor: DockerExecutor, script: str, limits: Limits | None = None) -> Launch:
    tree, bundle = bundle_of({"main.py": script})
    await executor.stage_code(tree, bundle)
    specification = a_specification(tree, limits=limits)
    return a_launch(specification, await executor.prepare(specification, None))


async def created(dying: Engine, launch: Launch) -> Container:
    container = Container(dying, DEPLOYMENT.names.of(launch.ref))
    body = run_body(DEPLOYMENT, bounds_of(launch.specification.limits, Machine(cpus=1)), owner=OWNER)
    assert await container.create(body)
    return container


async def test_a_runner_killed_after_create_is_followed_by_one_that_starts(
    executor: DockerExecutor, dying: Engine
) -> None:
    launch = await made(executor, "print('once')")
    await created(dying, launch)
    assert [found.state for found in await executor.found() if found.ref == launch.ref] == ["created"]
    assert await executor.started(launch.ref) is None
    await runs_once(executor, launch)


async def test_a_runner_killed_after_start_leaves_what_never_starts(executor: DockerExecutor, dying: Engine) -> None:
    launch = await made(executor, "print('once')")
    container = await created(dying, launch)
    stream = await container.attach()
    assert isinstance(stream, Stream)
    await container.start()
    stream.close()
    end = await executor.wait(launch.ref, launch.nonce)
    assert (end.exit_code, end.never_started) == (125, True)
    await runs_once(executor, launch)


async def test_a_runner_killed_in_the_middle_of_the_order_started_nothing(
    executor: DockerExecutor, dying: Engine
) -> None:
    launch = await made(executor, "print('once')")
    container = await created(dying, launch)
    stream = await container.attach()
    assert isinstance(stream, Stream)
    await container.start()
    await stream.write(seal(b"{}" * 1000)[:900])
    stream.close()
    await runs_once(executor, launch)


async def test_a_runner_killed_before_start_does_not_harm_the_next(executor: DockerExecutor, dying: Engine) -> None:
    launch = await made(executor, "print('once')")
    stream = await (await created(dying, launch)).attach()
    assert isinstance(stream, Stream)
    stream.close()
    await runs_once(executor, launch)


async def test_a_runner_killed_after_the_order_is_adopted(executor: DockerExecutor, proxy: str) -> None:
    launch = await made(executor, "import time\nprint('once')\ntime.sleep(3)")
    first = an_executor(proxy)
    begun = await first.launch(launch)
    first.close()
    assert [found.state for found in await executor.found() if found.ref == launch.ref] == ["running"]
    assert await executor.started(launch.ref) == begun
    await runs_once(executor, launch)


async def test_two_runners_with_the_same_attempt_start_it_once(executor: DockerExecutor, other: DockerExecutor) -> None:
    for _ in range(4):
        launch = await made(executor, "import time\nprint('once')\ntime.sleep(0.5)")
        first, second = await asyncio.gather(executor.launch(launch), other.launch(launch))
        assert first == second
        await runs_once(executor, launch)


async def test_a_cut_connection_is_no_end(engine: str, tmp_path: Path) -> None:
    script = "import time\nprint('on')\ntime.sleep(4)\nprint('off')"
    with socket_proxy(tmp_path, engine=engine, deployment=DEPLOYMENT) as url:
        executor = an_executor(url)
        launch = await made(executor, script)
        await executor.launch(launch)
        waiting = asyncio.create_task(executor.wait(launch.ref, launch.nonce))
        port = int(url.rpartition(":")[2])
        frames = executor.frames(launch.ref, skip=0, follow=True)
        assert (await anext(frames)).data == b"on\n"
    # HAProxy is gone, and with it every stream; then it is back.
    assert [frame.data async for frame in frames] == []
    assert not waiting.done()
    with socket_proxy(tmp_path, engine=engine, deployment=DEPLOYMENT, port=port):
        async with asyncio.timeout(30):
            end = await waiting
        assert (end.exit_code, end.marker_code) == (0, 0)
        assert [frame.data async for frame in executor.frames(launch.ref, skip=1, follow=True)] == [b"off\n"]
        await executor.remove(launch.ref)
    executor.close()


async def test_out_of_memory_ends_the_script_and_the_entry_program_says_so(executor: DockerExecutor) -> None:
    limits = Limits(memory_bytes=64 << 20, pids=64)
    launch = await made(executor, "print('on')\nblob = bytearray()\nwhile True: blob += bytes(1 << 20)", limits)
    await executor.launch(launch)
    end = await executor.wait(launch.ref, launch.nonce)
    assert (end.oom_killed, end.signal, end.marker_code) == (True, 9, 137)
    await executor.remove(launch.ref)


async def test_a_container_somebody_killed_has_no_marker(executor: DockerExecutor, person: DockerClient) -> None:
    launch = await made(executor, "import time\nprint('on')\ntime.sleep(60)")
    await executor.launch(launch)
    person.containers.get(DEPLOYMENT.names.of(launch.ref)).kill()
    end = await executor.wait(launch.ref, launch.nonce)
    assert (end.exit_code, end.marker_code, end.never_started, end.oom_killed) == (137, None, False, False)
    await executor.remove(launch.ref)


async def test_a_container_somebody_removed_ended_for_reasons_nobody_knows(
    executor: DockerExecutor, person: DockerClient
) -> None:
    launch = await made(executor, "import time\nprint('on')\ntime.sleep(60)")
    await executor.launch(launch)
    waiting = asyncio.create_task(executor.wait(launch.ref, launch.nonce))
    person.containers.get(DEPLOYMENT.names.of(launch.ref)).remove(force=True, v=True)
    async with asyncio.timeout(20):
        assert (await waiting).exit_code is None
    assert await executor.started(launch.ref) is None


async def test_secrets_are_not_in_the_containers_configuration(executor: DockerExecutor, person: DockerClient) -> None:
    launch = await made(executor, "import os\nprint(os.environ['TOKEN'])")
    launch = a_launch(launch.specification, launch.prepared, env={"TOKEN": "s3cr3t-value"})
    await executor.launch(launch)
    await executor.wait(launch.ref, launch.nonce)
    assert (await read_all(executor, launch))[0] == b"s3cr3t-value\n"
    assert "s3cr3t-value" not in str(person.containers.get(DEPLOYMENT.names.of(launch.ref)).attrs)
    await executor.remove(launch.ref)


async def test_a_script_is_locked_in(executor: DockerExecutor) -> None:
    script = """
import os
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(os.getuid(), int(status["CapEff"], 16), status["NoNewPrivs"], os.getcwd())
print(os.environ["HOME"], os.environ["TMPDIR"])
for path in ("/usr/x", "/uv/x", "/etc/x"):
    try: open(path, "w")
    except OSError as error: print(path, error.errno)
for path in ("/uv/code", "/root"):
    try: print(os.listdir(path))
    except OSError as error: print(path, error.errno)
open("/tmp/x", "w"); open("/app/x", "w")
"""
    launch = await made(executor, script)
    await executor.launch(launch)
    await executor.wait(launch.ref, launch.nonce)
    out, err = await read_all(executor, launch)
    assert out.decode().splitlines() == [
        f"{RUN_UID} 0 1 /app", "/tmp /tmp", "/usr/x 30", "/uv/x 30", "/etc/x 30", "/uv/code 13", "/root 13",
    ]  # fmt: skip
    assert err == b""
    await executor.remove(launch.ref)


async def test_a_missing_network_is_told(engine: str, tmp_path: Path, executor: DockerExecutor) -> None:
    launch = await made(executor, "print('x')")
    absent = Deployment(installation=INSTALLATION, network="fastflow-absent", volume=DEPLOYMENT.volume)
    with socket_proxy(tmp_path, engine=engine, deployment=absent) as url:
        lost = DockerExecutor(url, deployment=absent, owner=OWNER, key=b"key")
        with pytest.raises(InfrastructureError, match="fastflow-absent"):
            await lost.launch(launch)
        await lost.remove(launch.ref)
        lost.close()


async def test_a_bundle_with_a_link_out_of_its_folder_is_refused(executor: DockerExecutor) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("sub/evil")
        member.type, member.linkname = tarfile.SYMTYPE, "../../etc"
        tar.addfile(member)
    tree = sha1(buffer.getvalue(), usedforsecurity=False).hexdigest()
    with pytest.raises(ContractError, match="leads out of the folder"):
        await executor.stage_code(tree, zstandard.ZstdCompressor().compress(buffer.getvalue()))
    assert not await executor.has_code(tree)
