"""The socket proxy that `up` starts: a program or a container, with the runner's policy either way."""

import os
import shutil
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from fastflow_cli.errors import MissingError
from fastflow_cli.home import Home
from fastflow_cli.local.engine import Address, Engine, ensure_network, find_engine, has_image
from fastflow_cli.local.proxy import NAME, Proxy, find_proxy
from fastflow_cli.local.proxy_container import container_name, has_proxy_image
from fastflow_cli.local.proxy_socket import forget_socket, proxy_socket
from fastflow_cli.local.services import search_path
from fastflow_cli.local.supervisor import supervising
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.docker, pytest.mark.e2e]


@pytest.fixture
def engine() -> Engine:
    found = find_engine(os.environ)
    if not isinstance(found, Engine):
        if os.environ.get("CI") or os.environ.get("FASTFLOW_TEST_STRICT"):
            pytest.fail(found)
        pytest.skip(found)
    return found


@pytest.mark.parametrize("kind", ["program", "container"])
async def test_the_proxy_lets_through_what_the_runner_says_and_nothing_else(
    engine: Engine, kind: str, tmp_path: Path
) -> None:
    binary = shutil.which("haproxy", path=search_path(os.environ)) if kind == "program" else None
    if (kind == "program" and binary is None) or (kind == "container" and not has_proxy_image(engine)):
        pytest.skip(f"no HAProxy as a {kind}")
    home = Home(tmp_path / "home")
    home.make()
    proxy = Proxy(engine=engine, binary=binary, env=os.environ)
    version = "1.44" if tuple(int(n) for n in engine.api.split(".")) >= (1, 44) else "1.41"
    async with supervising(lambda _: None) as supervisor:
        try:
            listen = (await proxy.start(supervisor, home)).removeprefix("unix://")
            through = httpx.AsyncHTTPTransport(uds=listen)
            async with httpx.AsyncClient(base_url=f"http://engine/v{version}", transport=through) as http:

                async def answers() -> bool:
                    try:
                        return (await http.get("/_ping")).status_code == 200
                    except httpx.TransportError:
                        return False

                await eventually(answers)
                assert (await http.get("/containers/json")).status_code == 403
                assert (await http.post("/containers/create?name=x", json={"Image": "x"})).status_code == 403
                assert (await http.post("/networks/create", json={"Name": "x"})).status_code == 403
            assert stat.filemode(Path(listen).stat().st_mode) == "srw-------"
            assert stat.filemode(Path(listen).parent.stat().st_mode) == "drwx------"
            assert Path(listen).stat().st_uid == os.getuid()
        finally:
            await supervisor.stop([NAME], grace_s=1)
            proxy.stop(home)
    assert not Path(listen).exists()
    transport = httpx.AsyncHTTPTransport(uds=str(engine.address.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://docker") as raw:
        assert (await raw.get(f"/containers/{container_name(home)}/json")).status_code == 404


def test_a_proxy_never_listens_where_others_may(tmp_path: Path) -> None:
    with TemporaryDirectory() as short:
        home = Home(Path(short) / "home")
        home.make()
        assert proxy_socket(home) == home.path / "runner" / "engine.sock"
    deep = Home(tmp_path / ("x" * 80) / "home")
    deep.path.mkdir(parents=True)
    deep.make()
    listen = proxy_socket(deep)
    try:
        assert proxy_socket(deep) == listen
        assert len(str(listen)) < 90
        listen.parent.chmod(0o755)
        with pytest.raises(MissingError, match="is open to others"):
            proxy_socket(deep)
    finally:
        forget_socket(deep)
    assert not listen.parent.exists()


def test_the_network_of_the_runs_is_made_once(engine: Engine) -> None:
    ensure_network(engine)
    ensure_network(engine)


def test_what_is_not_there_is_said(engine: Engine) -> None:
    assert not has_image(engine, "fastflow-no-such-image:latest")
    nowhere = find_engine({"DOCKER_HOST": "unix:///nowhere.sock"})
    assert nowhere == "/nowhere.sock does not exist"
    assert "neither unix:// nor tcp://" in str(find_engine({"DOCKER_HOST": "ssh://somewhere"}))
    assert "does not answer" in str(find_engine({"DOCKER_HOST": "tcp://127.0.0.1:9"}))
    remote = Engine(Address("tcp://127.0.0.1:9"), engine.version, engine.api)
    assert "FASTFLOW_DOCKER_URL" in str(find_proxy(remote, os.environ))
