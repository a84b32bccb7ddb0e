"""A run that writes more than it may keep on the disk is ended, however it writes; who writes less never notices."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_events.aggregates.run.specification import Limits
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.core.bounds import Room
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import Executor, Exit, Started
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.executor_contract import ExecutorContract, read_all
from fastflow_runner.testing.tools import find_uv

OWNER = f"disk-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")
MIB = 1 << 20
MOST = Limits(disk_bytes=32 * MIB, pids=64)
IN_CONTAINERS = pytest.param("docker", marks=pytest.mark.docker)
GROW = """
import os, time
def grow(name, mib=200, then=lambda: None):
    with open(name, "wb") as file:
        then()
        for _ in range(mib):
            file.write(os.urandom(1 << 20))
            file.flush()
        return file
"""
WAYS = {
    "one file": "grow('file')",
    "many files": "for n in range(200 * 64): open(f'f{n}', 'wb').write(os.urandom(1 << 14))",
    "folders that it closes": """
for n in range(200):
    os.mkdir(f"d{n}")
    grow(f"d{n}/file", 1)
    os.chmod(f"d{n}", 0)
""",
    "a process that leaves its session": """
if not os.fork():
    os.setsid()
    if not os.fork(): grow("file")
""",
}
HELD = """
file = open("file", "wb"); os.unlink("file")
for _ in range(200): file.write(os.urandom(1 << 20)); file.flush()
"""


@pytest.fixture(params=[IN_CONTAINERS, "process"])
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    room = Room(usual_bytes=None, share=5)
    executor: DockerExecutor | ProcessExecutor
    if request.param == "docker":
        proxy = request.getfixturevalue("proxy")
        executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", room=room)
    else:
        executor = ProcessExecutor(tmp_path, uv=find_uv(), key=b"key", variables=os.environ, room=room)
    yield executor
    executor.close()


async def ended(executor: Executor, script: str, limits: Limits) -> tuple[Started, Exit, str]:
    launch = await ExecutorContract().a_launch(executor, script, limits=limits)
    started = await executor.launch(launch)
    out, _ = await read_all(executor, launch)
    end = await executor.wait(launch.ref, launch.nonce)
    await executor.remove(launch.ref)
    return started, end, out.decode()


@pytest.mark.parametrize("way", WAYS)
async def test_what_writes_more_than_it_may_is_ended(executor: Executor, way: str) -> None:
    started, end, _ = await ended(executor, f"{GROW}{WAYS[way]}\ntime.sleep(600)", MOST)
    assert started.manifest.disk_bytes == MOST.disk_bytes
    assert (end.marker_code, end.signal) == (137, 9)
    assert end.held_bytes > 32 * MIB


@pytest.mark.parametrize("executor", [IN_CONTAINERS], indirect=True)
async def test_in_a_container_a_file_without_a_name_counts_too(executor: Executor) -> None:
    _, end, _ = await ended(executor, f"{GROW}{HELD}\ntime.sleep(600)", MOST)
    assert (end.marker_code, end.held_bytes > 32 * MIB) == (137, True)


async def test_what_holds_less_than_it_may_never_notices(executor: Executor) -> None:
    script = f"{GROW}\nfor _ in range(4): grow('file', 20); time.sleep(1)"
    _, end, _ = await ended(executor, script, MOST)
    assert (end.marker_code, end.held_bytes) == (0, 0)


async def test_a_limit_of_nothing_is_none(executor: Executor) -> None:
    started, end, _ = await ended(executor, f"{GROW}grow('file', 40)", Limits(disk_bytes=0))
    assert (started.manifest.disk_bytes, end.marker_code, end.held_bytes) == (None, 0, 0)


async def test_who_names_no_limit_has_a_share_of_what_is_free(executor: Executor) -> None:
    script = "import os\nd = os.statvfs('.')\nprint(d.f_bavail * d.f_frsize)"
    started, _, free = await ended(executor, script, Limits())
    assert started.manifest.disk_bytes == pytest.approx(int(free) / 5, rel=0.2)
