"""What fetches, builds and installs interpreters reaches package indexes and Git hosts, and nothing of the product."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from docker import DockerClient
from fastflow_events.errors import InfrastructureError
from fastflow_events.service.tasks import background
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import DependencyError, NotClosedError
from fastflow_runner.testing.builders import INSTALLATION, a_specification
from fastflow_runner.testing.deadline_contract import with_a_build
from fastflow_runner.testing.engine_machine import Place, engine_machine
from fastflow_runner.testing.executor_contract import eventually
from fastflow_runner.testing.knocking import KNOCK, answers
from msgspec import structs

pytestmark = pytest.mark.docker
OWNER = f"packages-{os.getpid()}"
DEPLOYMENT = Deployment(
    installation=INSTALLATION, network=f"fastflow-packages-{os.getpid()}", volume=f"fastflow-uv-{OWNER}"
)
LISTENING = "import socket\nwith socket.create_server(('', 5000)) as s:\n    while True: s.accept()[0].send(b'here')"
QUICK = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "5"}
WITHIN_S = 120.0


@pytest.fixture(scope="module")
def place(engine: str) -> Iterator[Place]:
    with engine_machine(engine, DEPLOYMENT.network, six=0xFA58) as place:
        yield place


@pytest.fixture
def neighbour(person: DockerClient, place: Place) -> Iterator[str]:
    """Address of another container on the same network, which answers whoever knocks."""
    container = person.containers.run(
        DEPLOYMENT.image, ["-c", LISTENING], entrypoint="python3", network=DEPLOYMENT.network, detach=True
    )
    container.reload()
    yield container.attrs["NetworkSettings"]["Networks"][DEPLOYMENT.network]["IPAddress"]
    container.remove(force=True)


@asynccontextmanager
async def working(proxy: str, place: Place, **settings: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(
        proxy,
        deployment=DEPLOYMENT,
        owner=OWNER,
        key=b"key",
        grace_s=1.0,
        uv_settings={**QUICK, **settings},
        opened=f"{place.gateway}:{place.also.port}",
        packages_opened=f"{place.gateway}:{place.opened.port}",
    )
    async with background(executor.keep()):
        yield executor
    executor.close()


@pytest.fixture
async def executor(proxy: str, place: Place) -> AsyncIterator[DockerExecutor]:
    async with working(proxy, place) as executor:
        yield executor


def pauses(person: DockerClient) -> list[str]:
    """Names of the pause containers that hold a namespace of one alone."""
    found = person.containers.list(all=True, filters={"label": f"fastflow.runner={OWNER}"}, ignore_removed=True)
    return [str(one.name) for one in found if re.search(r"-net-.*-o[0-9a-f]{8}$", str(one.name))]


async def told_by_a_build(executor: DockerExecutor, script: str) -> str:
    """What a package's own code says as it is built, in the only way there is: it fails."""
    specification = await with_a_build(executor, f"{script}\nraise SystemExit('<<' + json.dumps(said) + '>>')")
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(DependencyError) as refused:
            await executor.prepare(specification, None)
    found = re.search("<<(.*)>>", str(refused.value))
    assert found is not None, refused.value
    return found[1]


async def test_a_package_reaches_nothing_of_the_product_while_it_is_built(
    executor: DockerExecutor, place: Place, neighbour: str
) -> None:
    # Whatever listens on the machine is the gateway, NATS and the proxy; what is opened to runs is not opened here.
    shut = [*place.shut_targets(), ("tcp", neighbour, 5000), ("tcp", place.gateway, place.also.port)]
    targets = [*shut, ("tcp", place.gateway, place.opened.port)]
    before = len(place.shut.connections), len(place.also.connections)
    script = f"""{KNOCK}
from concurrent.futures import ThreadPoolExecutor
targets = {targets!r}
with ThreadPoolExecutor(len(targets)) as threads:
    said = list(threads.map(lambda target: knock(*target), targets))
"""
    found = dict(zip(targets, answers(await told_by_a_build(executor, script)), strict=True))
    assert [target for target in targets if found[target]] == targets[len(shut) :]
    assert (len(place.shut.connections), len(place.also.connections)) == before


async def test_a_package_cannot_open_its_network_while_it_is_built(executor: DockerExecutor, place: Place) -> None:
    script = f"""{KNOCK}
import ctypes, os, subprocess
said = []
def attempt(what):
    try: said.append(what() in (None, 0))
    except (OSError, subprocess.SubprocessError): said.append(False)
attempt(lambda: subprocess.run(["nft", "flush", "ruleset"], capture_output=True).returncode)
attempt(lambda: ctypes.CDLL(None, use_errno=True).unshare(0x40000000 | 0x10000000))
attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 6).close())
attempt(lambda: os.setuid(0))
said.append(knock("tcp", {place.gateway!r}, {place.shut.port}))
"""
    assert json.loads(await told_by_a_build(executor, script)) == [False] * 5


@pytest.mark.parametrize("wanted", ["{url}/thing-1-py3-none-any.whl", "git+{url}/thing.git"])
async def test_nobody_leads_what_fetches_to_the_engines_machine(
    executor: DockerExecutor, place: Place, wanted: str
) -> None:
    url = f"http://{place.gateway}:{place.shut.port}"
    text = f"thing @ {wanted.format(url=url)}\n"
    before = len(place.shut.connections)
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises((DependencyError, InfrastructureError)) as refused:
            await executor.prepare(a_specification("0" * 40, requirements=text), None)
    assert not isinstance(refused.value, NotClosedError)
    assert len(place.shut.connections) == before


async def test_nobody_leads_what_installs_interpreters_to_the_engines_machine(proxy: str, place: Place) -> None:
    mirror = f"http://{place.gateway}:{place.shut.port}"
    before = len(place.shut.connections)
    async with working(proxy, place, UV_PYTHON_INSTALL_MIRROR=mirror, UV_PYTHON_PREFERENCE="only-managed") as executor:
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises((DependencyError, InfrastructureError), match=f"{place.gateway}:{place.shut.port}"):
                await executor.prepare(structs.replace(a_specification("0" * 40), python="3.13"), None)
    assert len(place.shut.connections) == before


async def test_a_network_that_was_closed_for_a_build_is_gone_soon_after_it(
    executor: DockerExecutor, person: DockerClient
) -> None:
    async with asyncio.timeout(WITHIN_S):
        await executor.prepare(await with_a_build(executor, "pass"), None)
    await eventually(lambda: _none(person), within_s=60)


async def _none(person: DockerClient) -> bool:
    return not await asyncio.to_thread(pauses, person)
