"""The process executor while runners and entry programs are killed."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.adapters.process.folder import ProcessFolder
from fastflow_runner.adapters.process.start import command, spawn, tell
from fastflow_runner.adapters.process.table import ProcessId, identify, is_alive, kill_session
from fastflow_runner.entry.sealed import seal
from fastflow_runner.ports import Launch
from fastflow_runner.testing.builders import a_launch, a_specification, bundle_of
from fastflow_runner.testing.executor_contract import eventually, read_all
from fastflow_runner.testing.order_contract import runs_once
from fastflow_runner.testing.tools import find_uv


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("process-faults")


def an_executor(root: Path) -> ProcessExecutor:
    return ProcessExecutor(root, uv=find_uv(), key=b"key", variables=os.environ, grace_s=1.0)


@pytest.fixture
def executor(root: Path) -> Iterator[ProcessExecutor]:
    executor = an_executor(root)
    yield executor
    executor.close()


async def made(executor: ProcessExecutor, script: str) -> Launch:
    tree, bundle = bundle_of({"main.py": script})
    await executor.stage_code(tree, bundle)
    specification = a_specification(tree)
    return a_launch(specification, await executor.prepare(specification, None))


def half_launched(root: Path, launch: Launch, order: bytes) -> ProcessId:
    """What a runner leaves that was killed while it sent the order."""
    folder = ProcessFolder(root / "runs" / launch.ref.name)
    folder.path.mkdir(parents=True)
    folder.make()
    process, stdin = spawn(command("run"), {}, folder.log)
    folder.record(process)
    tell(stdin, order)
    return process


async def test_a_runner_killed_before_the_order_left_what_never_starts(root: Path, executor: ProcessExecutor) -> None:
    launch = await made(executor, "print('once')")
    half_launched(root, launch, b"")
    end = await executor.wait(launch.ref, launch.nonce)
    assert (end.exit_code, end.never_started, await executor.started(launch.ref)) == (125, True, None)
    await runs_once(executor, launch)


async def test_a_runner_killed_in_the_middle_of_the_order_started_nothing(
    root: Path, executor: ProcessExecutor
) -> None:
    launch = await made(executor, "print('once')")
    half_launched(root, launch, seal(b"{}" * 1000)[:-1])
    await runs_once(executor, launch)


async def test_a_folder_without_a_process_is_started(root: Path, executor: ProcessExecutor) -> None:
    launch = await made(executor, "print('once')")
    (root / "runs" / launch.ref.name).mkdir(parents=True)
    assert [found.state for found in await executor.found() if found.ref == launch.ref] == ["created"]
    await runs_once(executor, launch)


async def test_another_runner_finds_the_attempt_and_its_end(root: Path, executor: ProcessExecutor) -> None:
    launch = await made(executor, "import time\nprint('once')\ntime.sleep(1)\nraise SystemExit(5)")
    begun = await executor.launch(launch)
    other = an_executor(root)
    assert [found.state for found in await other.found() if found.ref == launch.ref] == ["running"]
    assert await other.started(launch.ref) == begun == await other.launch(launch)
    end = await other.wait(launch.ref, launch.nonce)
    assert (end.marker_code, end.exit_code) == (5, 5)
    assert (await read_all(other, launch))[0] == b"once\n"
    await other.remove(launch.ref)
    other.close()


async def test_two_runners_with_the_same_attempt_start_it_once(root: Path, executor: ProcessExecutor) -> None:
    other = an_executor(root)
    for _ in range(5):
        launch = await made(executor, "import time\nprint('once')\ntime.sleep(0.3)")
        first, second = await asyncio.gather(executor.launch(launch), other.launch(launch))
        assert first == second
        await runs_once(executor, launch)
    other.close()


async def test_a_killed_entry_program_takes_its_script_along_and_proves_nothing(
    root: Path, executor: ProcessExecutor
) -> None:
    launch = await made(executor, "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)")
    await executor.launch(launch)
    script = 0
    async for frame in executor.frames(launch.ref, skip=0, follow=True):
        script = int(frame.data)
        break
    found = identify(script)
    entry = ProcessFolder(root / "runs" / launch.ref.name).process()
    assert found is not None
    assert entry is not None
    os.kill(entry.pid, signal.SIGKILL)
    end = await executor.wait(launch.ref, launch.nonce)
    assert (end.exit_code, end.marker_code, end.never_started) == (137, None, False)

    async def gone() -> bool:
        return not is_alive(found)

    await eventually(gone)
    await executor.remove(launch.ref)


async def test_a_pid_that_was_given_out_again_is_somebody_else(root: Path, executor: ProcessExecutor) -> None:
    launch = await made(executor, "print('x')")
    folder = ProcessFolder(root / "runs" / launch.ref.name)
    folder.path.mkdir(parents=True)
    me = identify(os.getpid())
    assert me is not None
    folder.record(ProcessId(pid=me.pid, start=me.start + 1, boot=me.boot))
    assert folder.state() == "exited"
    await executor.stop(launch.ref, grace_s=0)
    await executor.remove(launch.ref)


def test_a_session_of_the_same_number_is_left_alone() -> None:
    me = identify(os.getsid(0)) or ProcessId(pid=os.getsid(0), start=0, boot="")
    assert not kill_session(me, b"FASTFLOW_ROUTE_FILE=/nowhere/of/ours")


async def test_nothing_of_the_runners_own_environment_reaches_a_script(root: Path) -> None:
    variables = {**os.environ, "FASTFLOW_NATS_SEED": "s3cr3t"}
    executor = ProcessExecutor(root, uv=find_uv(), key=b"key", variables=variables)
    launch = await made(executor, "import os\nprint(sorted(os.environ))")
    await executor.launch(launch)
    await executor.wait(launch.ref, launch.nonce)
    out, _ = await read_all(executor, launch)
    assert b"FASTFLOW_ROUTE_FILE" in out
    assert b"NATS" not in out
    await executor.remove(launch.ref)
    executor.close()


async def test_the_end_is_told_soon_after_it(executor: ProcessExecutor) -> None:
    launch = await made(executor, "pass")
    await executor.launch(launch)
    began = time.monotonic()
    await executor.wait(launch.ref, launch.nonce)
    assert time.monotonic() - began < 5
    await executor.remove(launch.ref)
