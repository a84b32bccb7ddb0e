"""What every test may ask for: a private nats-server, a log on it, and what is real or fails."""

import gc
import os
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from docker import DockerClient
from fastflow_cli.errors import MissingError
from fastflow_cli.testing.product import Product, open_product
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.server_process import find_binary
from fastflow_events.service.settings import Settings
from fastflow_events.testing.accounts_bus import Bus, bus_with_accounts
from fastflow_events.testing.nats_server import nats_server
from fastflow_events.testing.own_disk import OwnDisk, own_disk
from fastflow_runner.testing.socket_proxy import engine_socket, forget_tools, socket_proxy
from hypothesis import settings as hypothesis_settings

# No test depends on how fast the machine is.
hypothesis_settings.register_profile("house", deadline=None)
hypothesis_settings.load_profile("house")

STRICT = bool(os.environ.get("CI") or os.environ.get("FASTFLOW_TEST_STRICT"))


def missing(what: str) -> None:
    """Fail where everything is set up, skip where somebody runs pytest by hand."""
    if STRICT:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def pytest_collection_finish() -> None:
    """What is there before the first test is never looked through for what a test left open."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def closed(request: pytest.FixtureRequest) -> Generator[None]:
    """A connection left open is charged to the test that opened it, not to one that is at work when it is found."""
    yield
    if request.node.get_closest_marker("nats"):
        gc.collect()


@pytest.fixture(autouse=True)
def named(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """No gateway answers with an error that its route does not name: `opt=raises(…)` beside the path."""
    yield
    found = [vars(each) for each in caplog.get_records("call") if vars(each).get("action") == "unnamed_error"]
    assert not found, [(each["path"], each["code"]) for each in found]


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Generator[str]:
    """Path of the socket of the Docker engine that everybody shares.

    A module says in `OWNER` whose containers its are, and in `DEPLOYMENT` which volume: they go with the module.
    """
    found = engine_socket()
    if found is None:
        missing("no Docker engine answers; type: make docker")
    yield str(found)
    if owner := getattr(request.module, "OWNER", None):
        forget_tools(str(found), owner, request.module.DEPLOYMENT.volume)


@pytest.fixture(scope="module")
def proxy(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Address of a socket proxy with the policy of the module's deployment."""
    folder = tmp_path_factory.mktemp("proxy")
    with socket_proxy(folder, engine=engine, deployment=request.module.DEPLOYMENT) as url:
        yield url


@pytest.fixture
def person(engine: str) -> Generator[DockerClient]:
    """Somebody at the engine itself, who may do what the proxy refuses."""
    client = DockerClient(base_url=f"unix://{engine}")
    yield client
    client.close()


@pytest.fixture
def nats_url(tmp_path: Path) -> Generator[str]:
    """A fresh nats-server of this test's own."""
    try:
        find_binary(os.environ)
    except InfrastructureError as exc:
        missing(str(exc))
    with nats_server(tmp_path / "nats") as url:
        yield url


@pytest.fixture
def disk() -> Generator[OwnDisk]:
    """A small disk of this test's own, which may be filled and cut off."""
    try:
        with own_disk(size_mb=1024) as disk:
            yield disk
    except FileNotFoundError as exc:
        pytest.skip(str(exc))


@pytest_asyncio.fixture
async def nc(nats_url: str) -> AsyncGenerator[Connection]:
    """A connection to it, with every stream deployed."""
    async with connect(Settings(nats_url=nats_url), "test") as client:
        await deploy(client)
        yield client


@pytest_asyncio.fixture
async def bus(tmp_path: Path) -> AsyncGenerator[Bus]:
    """A server with our accounts, two runners and one run, and a connection for whoever is named."""
    try:
        find_binary(os.environ)
    except InfrastructureError as exc:
        missing(str(exc))
    async with bus_with_accounts(tmp_path) as found:
        yield found


@pytest.fixture
def jetstream_log(nc: Connection) -> JetStreamLog:
    """The event log on it."""
    return JetStreamLog(nc, source="/fastflow/test/1")


@pytest.fixture(name="open_product")
def opener(tmp_path: Path) -> Callable[[str], AbstractAsyncContextManager[Product]]:
    """Opens a whole installation on the named executor; shows its services' last words when the test fails."""

    @asynccontextmanager
    async def opened(executor: str) -> AsyncGenerator[Product]:
        try:
            async with open_product(tmp_path, executor) as product:
                yield product
        except MissingError as exc:
            missing(str(exc))
        except BaseException:
            for log in sorted((tmp_path / "home" / "logs").glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")  # noqa: T201 - pytest shows it
            raise

    return opened


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of a group stay on one worker; xdist says so in their names, unless pytest does not let it."""
    grouped = [item for item in items if item.get_closest_marker("xdist_group")]
    if config.getoption("loadgroup", default=False) and not all("@" in item.nodeid for item in grouped):
        raise pytest.UsageError("this version of pytest-xdist cannot keep tests of a group together")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, Any]:
    """Where everything is set up, a test that skips itself has found something missing; that is a failure."""
    report = yield
    found = str(report.longrepr)
    wants_another_python = "interpreter" in found
    wants_root = "of the test's own" in found and os.geteuid() != 0
    wants_loop_devices = "needs loop devices" in found  # of the kernel; nothing that could be installed
    if STRICT and report.skipped and not (wants_another_python or wants_root or wants_loop_devices):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} would have been skipped: {call.excinfo.value if call.excinfo else ''}"
    return report
