"""What fetches, builds or installs interpreters and takes more of the disk than it may is ended, however it does so."""

import asyncio
import os
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from itertools import repeat

import pytest
from docker import DockerClient
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.bounds import Room
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import DependencyError
from fastflow_runner.testing.bridge import bridge_address
from fastflow_runner.testing.builders import INSTALLATION, a_specification
from fastflow_runner.testing.deadline_contract import with_a_build
from fastflow_runner.testing.private_index import IndexHandler, served
from msgspec import structs

pytestmark = pytest.mark.docker
OWNER = f"package-disk-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")
MIB = 1 << 20
MOST = 96 * MIB
TOO_MUCH = "they took more of the disk than they may hold there \\(96 MiB\\)"
WITHIN_S = 120.0
GROW = """
import os, signal, time
def grow(name, then=lambda: None):
    with open(name, "wb") as file:
        then()
        for _ in range(600): file.write(os.urandom(1 << 20)); file.flush()
"""
WAYS = {
    "one file": "grow('/app/file')",
    "a file without a name": "grow('/app/file', lambda: os.unlink('/app/file'))",
    "it stops whoever is beside it": """
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try: os.kill(int(name), signal.SIGSTOP)
        except OSError: pass
grow("/app/file")
""",
    "it writes fast, and ends well": "grow('/app/file'); os._exit(0)",
}


class _Endless(IndexHandler):
    """Sends without an end whatever is asked of it."""

    pieces: Callable[[], Iterator[bytes]]

    def do_GET(self) -> None:  # noqa: N802 - the name that the standard library asks for
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        with suppress(OSError):
            for piece in type(self).pieces():
                self.wfile.write(piece)
        self.close_connection = True

    def do_HEAD(self) -> None:  # noqa: N802
        self.answer(404)


@pytest.fixture
async def executor(proxy: str, person: DockerClient) -> AsyncIterator[DockerExecutor]:
    executor = an_executor(proxy, person)
    yield executor
    executor.close()


def an_executor(proxy: str, person: DockerClient, **uv_settings: str) -> DockerExecutor:
    return DockerExecutor(
        proxy,
        deployment=DEPLOYMENT,
        owner=OWNER,
        key=b"key",
        grace_s=1.0,
        uv_settings=uv_settings,
        packages_opened=bridge_address(person),
        packages_room=Room(usual_bytes=MOST),
    )


@pytest.mark.parametrize("way", WAYS)
async def test_a_build_that_takes_more_than_it_may_is_ended(executor: DockerExecutor, way: str) -> None:
    specification = await with_a_build(executor, f"{GROW}{WAYS[way]}")
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(DependencyError, match=TOO_MUCH):
            await executor.prepare(specification, None)


async def test_a_build_that_takes_less_never_notices(executor: DockerExecutor) -> None:
    specification = await with_a_build(executor, "open('/app/file', 'wb').write(bytes(8 << 20))")
    async with asyncio.timeout(WITHIN_S):
        assert (await executor.prepare(specification, None)).prepare_s > 0


def _one_file() -> Iterator[bytes]:
    """An archive as wheels are, with one file, which has no end."""
    yield struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, 0xFFFFFFF0, 0xFFFFFFF0, 4, 0) + b"file"
    packer = zlib.compressobj(0, wbits=-15)
    while True:
        yield packer.compress(os.urandom(MIB))


async def test_a_wheel_without_an_end_is_not_fetched_to_the_last_of_the_disk(
    executor: DockerExecutor, person: DockerClient
) -> None:
    handler = type("Endless", (_Endless,), {"pieces": staticmethod(_one_file)})
    with served(bridge_address(person), handler) as url:
        text = f"endless @ {url}/endless-1-py3-none-any.whl\n"
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(DependencyError, match=TOO_MUCH):
                await executor.prepare(a_specification("0" * 40, requirements=text), None)


def _inflating() -> Iterator[bytes]:
    """A compressed archive with one file, which has no end."""
    head = bytearray(b"python/file".ljust(100, b"\0") + b"0000644\0" * 3 + b"77777777777\0" + b"00000000000\0")
    head = head + b" " * 8 + b"0" + bytes(100) + b"ustar\x0000" + bytes(247)
    head[148:156] = b"%06o\0 " % sum(head)
    packer = zlib.compressobj(wbits=31)
    yield packer.compress(bytes(head))
    for piece in repeat(bytes(MIB)):
        yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)


async def test_an_interpreter_without_an_end_is_not_unpacked_to_the_last_of_the_disk(
    proxy: str, person: DockerClient
) -> None:
    handler = type("Inflating", (_Endless,), {"pieces": staticmethod(_inflating)})
    with served(bridge_address(person), handler) as url:
        settings = {"UV_PYTHON_INSTALL_MIRROR": url, "UV_PYTHON_PREFERENCE": "only-managed", "UV_HTTP_RETRIES": "0"}
        executor = an_executor(proxy, person, **settings)
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(DependencyError, match=TOO_MUCH):
                await executor.prepare(structs.replace(a_specification("0" * 40), python="3.13"), None)
        executor.close()
