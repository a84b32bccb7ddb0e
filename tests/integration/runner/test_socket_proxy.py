import http.client
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_runner.core.closing import Closing
from fastflow_runner.core.container_spec import (
    VERSIONS,
    Deployment,
    calls,
    pause_body,
    run_body,
    tool_body,
    update_body,
)
from fastflow_runner.core.policy import render
from fastflow_runner.core.template import fill
from fastflow_runner.testing.attacks import (
    BOUNDS,
    INSTALLATION,
    NAME,
    NET,
    OURS,
    OWNER,
    PLACE,
    SERIAL,
    STANDBY,
    bodies,
    paths,
)
from fastflow_runner.testing.attacks_standby import networks, renames, updates
from fastflow_runner.testing.recording_engine import RecordingEngine
from fastflow_runner.testing.socket_proxy import find_haproxy, socket_proxy

pytestmark = pytest.mark.docker
DEPLOYMENT = Deployment(installation=INSTALLATION)
GOOD = run_body(DEPLOYMENT, BOUNDS, owner=OWNER)
CACHE = f"{OURS}jit-{'0' * 32}"
BUILD = f"{OURS}build-{'0' * 32}"
VALUES = {
    "name": NAME,
    "run": NAME,
    "source": BUILD,
    "owner": OWNER,
    "serial": SERIAL,
    "grace": "10",
    "follow": "1",
}
BODIES = {"create": GOOD, "update": update_body(BOUNDS)}
REFUSED = {0, 400, 403, 408, 413}


class Proxy:
    def __init__(self, url: str, version: str, engine: RecordingEngine) -> None:
        self.port = int(url.rpartition(":")[2])
        self.version = version
        self.engine = engine

    def raw(self, data: bytes) -> int:
        """Status of the answer to raw bytes; 0 when the proxy just hung up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            try:
                # It may hang up before all of a large body was sent.
                connection.sendall(data)
                answer = connection.recv(4096)
                if answer.startswith(b"HTTP/1.1 100"):
                    answer = answer.partition(b"\r\n\r\n")[2] or connection.recv(4096)
            except ConnectionError:
                return 0
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0

    def ask(self, method: str, target: str, body: bytes = b"", *headers: str) -> int:
        lines = [f"{method} {target} HTTP/1.1", "Host: engine", *headers]
        if body:
            lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
        return self.raw("\r\n".join([*lines, "", ""]).encode() + body)

    def create(self, body: bytes, name: str = NAME) -> int:
        return self.ask("POST", f"/v{self.version}/containers/create?name={name}", body)


@pytest.fixture(scope="module", params=VERSIONS)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder: Path = tmp_path_factory.mktemp("p")
    with RecordingEngine(str(folder / "e.sock")) as engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        with socket_proxy(folder, engine=engine.path, deployment=DEPLOYMENT, version=request.param) as url:
            yield Proxy(url, request.param, engine)
        engine.shutdown()


def test_every_call_of_the_runner_passes(proxy: Proxy) -> None:
    for name, call in calls(DEPLOYMENT).items():
        headers = ("Connection: Upgrade", "Upgrade: tcp") if call.upgrade else ()
        target = f"/v{proxy.version}{fill(call.path, VALUES)}"
        status = proxy.ask(call.method, target, BODIES[name] if call.body else b"", *headers)
        assert status == (101 if call.upgrade else 200), name
    for mode in ("prepare", "python", "fetch", "build", "stage", "verify"):
        assert proxy.create(tool_body(DEPLOYMENT, mode, owner=OWNER, place=PLACE), f"{OURS}{mode}-{'0' * 32}") == 200
    listed = ";".join(f"ip6 daddr 2001:db8:{n:x}::/48 meta l4proto {{ tcp, udp }} th dport 1-65535" for n in range(32))
    for closing in (Closing(), Closing(names=False, opened=listed, closed=listed, listed=listed)):
        assert proxy.create(pause_body(DEPLOYMENT, closing, owner=OWNER), NET) == 200
    for place in ("", PLACE):
        for cache in ("", CACHE):
            assert proxy.create(run_body(DEPLOYMENT, BOUNDS, owner=OWNER, place=place, cache=cache), NAME) == 200
    assert proxy.create(run_body(DEPLOYMENT, BOUNDS, owner=OWNER, place=PLACE), STANDBY) == 200


def test_no_attack_on_a_path_reaches_the_engine(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    tried = [(method, target, proxy.ask(method, target)) for method, target in paths(proxy.version)]
    assert [attack for attack in tried if attack[2] not in {0, 400, 403, 501}] == []
    assert proxy.engine.lines == []
    assert len(tried) > 100


def test_no_attack_on_a_body_reaches_the_engine(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    tried = [(what, proxy.create(body, name)) for what, name, body in bodies(DEPLOYMENT)]
    assert [attack for attack in tried if attack[1] not in REFUSED] == []
    assert proxy.engine.lines == []
    assert len(tried) > 1600


def test_a_cache_is_no_way_to_write_to_another_volume_and_a_build_has_none(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    jit = run_body(DEPLOYMENT, BOUNDS, owner=OWNER, place=PLACE, cache=CACHE)
    shared = DEPLOYMENT.volume.encode()
    modes = ("build", "fetch", "prepare")
    build, fetch, link = (tool_body(DEPLOYMENT, mode, owner=OWNER, place=PLACE) for mode in modes)
    mount = b'{"ReadOnly":false,"Source":"%s","Target":"/uv","Type":"volume"}' % shared
    bodies = [
        *(
            jit.replace(CACHE.encode(), other)
            for other in (shared, b"/", b"..", CACHE.encode() + b"0", f"{OURS}jit".encode())
        ),
        jit.replace(b'"ReadOnly":true', b'"ReadOnly":false'),
        jit.replace(b'"/cache"', b'"/usr/local"'),
        build.replace(b'"Mounts":[]', b'"Mounts":[%s]' % mount),
        build.replace(b'"Cmd":["build"]', b'"Cmd":["run"]'),
        fetch.replace(b'"ReadOnly":true', b'"ReadOnly":false'),
        fetch.replace(b'"Cmd":["fetch"]', b'"Cmd":["prepare"]'),
        link.replace(b'"NetworkMode":"none"', b'"NetworkMode":"%s"' % DEPLOYMENT.network.encode()),
    ]
    assert len({*bodies, jit, build, fetch, link}) == len(bodies) + 4
    names = [NAME, STANDBY, BUILD, *(BUILD.replace("-build-", f"-{mode}-") for mode in ("fetch", "prepare", "stage"))]
    assert [body for body in bodies for name in names if proxy.create(body, name) not in REFUSED] == []
    assert proxy.create(jit, STANDBY) in REFUSED
    assert proxy.create(build, NAME) in REFUSED
    assert proxy.engine.lines == []


def test_no_network_of_others_can_be_joined(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    tried = [(what, proxy.create(body, name)) for what, name, body in networks(DEPLOYMENT)]
    assert [attack for attack in tried if attack[1] not in REFUSED] == []
    assert proxy.engine.lines == []
    assert len(tried) > 40


def test_no_limit_can_be_loosened_beyond_what_a_run_may_have(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    tried = [(what, proxy.ask("POST", target, body)) for what, target, body in updates(proxy.version)]
    assert [attack for attack in tried if attack[1] not in REFUSED] == []
    assert proxy.engine.lines == []
    assert len(tried) > 140


def test_nothing_but_a_standby_worker_can_be_renamed_and_only_to_a_run(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    tried = [(target, proxy.ask("POST", target)) for target in renames(proxy.version)]
    assert [attack for attack in tried if attack[1] not in REFUSED] == []
    assert proxy.engine.lines == []
    assert len(tried) > 30


def test_no_trick_of_framing_reaches_the_engine(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    create = f"POST /v{proxy.version}/containers/create?name={NAME} HTTP/1.1\r\nHost: x\r\n".encode()
    inspect = f"/v{proxy.version}/containers/{NAME}/json"
    json = b"Content-Type: application/json\r\n"
    size = str(len(GOOD)).encode()
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)
    tricks = [
        create + json + b"Transfer-Encoding: chunked\r\n\r\n" + chunk,
        create + json + b"Transfer-Encoding: chunked\r\nContent-Length: " + size + b"\r\n\r\n" + chunk,
        create + json + b"Transfer-Encoding: xchunked\r\nContent-Length: " + size + b"\r\n\r\n" + GOOD,
        create + json + b"Content-Length: " + size + b"\r\nContent-Length: 1\r\n\r\n" + GOOD,
        create + json + b"Content-Length: +" + size + b"\r\n\r\n" + GOOD,
        create + b"Content-Type: text/plain\r\nContent-Length: " + size + b"\r\n\r\n" + GOOD,
        create + b"Content-Length: " + size + b"\r\n\r\n" + GOOD,
        create + json + b"Host: y\r\nContent-Length: " + size + b"\r\n\r\n" + GOOD,
        create.replace(b"HTTP/1.1", b"HTTP/1.0") + json + b"Content-Length: " + size + b"\r\n\r\n" + GOOD,
        f"GET {inspect} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
        f"GET {inspect} HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n".encode(),
        f"GET {inspect} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".encode(),
        f"GET {inspect} HTTP/1.0\r\n\r\n".encode(),
        f"GET {inspect}\r\n\r\n".encode(),
        f"POST {inspect.replace('json', 'start')} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
        f"POST {inspect.replace('json', 'attach?stdin=1&stdout=1&stream=1')} HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n"
        "Connection: Upgrade\r\n\r\n".encode(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 64,
    ]
    assert [trick for trick in tricks if proxy.raw(trick) not in {0, 400, 403, 408, 501, 505}] == []
    assert proxy.engine.lines == []


def test_what_the_proxy_tolerates_reaches_the_engine_in_its_plain_form(proxy: Proxy) -> None:
    create = f"POST /v{proxy.version}/containers/create?name={NAME} HTTP/1.1\r\nHost: x\r\n".encode()
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(GOOD)
    for trick in (
        create + head + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
        create + head + b"Upgrade: tcp\r\nConnection: Upgrade\r\n\r\n" + GOOD,
        create + head + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + GOOD,
        create + head + b"Expect: 100-continue\r\n\r\n" + GOOD,
        create.replace(b" ", b"\t", 1) + head + b"\r\n" + GOOD,
    ):
        proxy.engine.lines.clear()
        assert proxy.raw(trick) in {200, 400, 403}
        lines = [line.lower() for line in proxy.engine.lines]
        assert not any(line.startswith((b"upgrade", b"transfer-encoding", b"expect")) for line in lines)
        assert sum(line.startswith(b"content-length") for line in lines) <= 1
        assert not any(b"\t" in line for line in lines)


def test_a_request_smuggled_behind_an_allowed_one_is_judged_for_itself(proxy: Proxy) -> None:
    proxy.engine.lines.clear()
    first = f"GET /v{proxy.version}/containers/{NAME}/json HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    evil = f"GET /v{proxy.version}/containers/gateway/json HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert proxy.raw(first + evil) == 200
    assert not any(b"gateway" in line for line in proxy.engine.lines)


def test_a_body_that_never_comes_is_not_waited_for_long(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.putrequest("POST", f"/v{proxy.version}/containers/create?name={NAME}")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"{")
    assert connection.getresponse().status == 408
    connection.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_policy_is_what_haproxy_takes(version: str, tmp_path: Path) -> None:
    (tmp_path / "haproxy.cfg").write_text(render(version, deployment=DEPLOYMENT))
    command = [find_haproxy(), "-c", "-f", str(tmp_path / "haproxy.cfg")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, "WARNING" in checked.stderr) == (0, False), checked.stderr


def test_an_attached_stream_carries_bytes_both_ways(proxy: Proxy) -> None:
    target = f"/v{proxy.version}{fill(calls(DEPLOYMENT)['attach'].path, VALUES)}"
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 101")
        connection.sendall(b"\0\1\xff" * 10)
        assert connection.recv(4096) == b"\0\1\xff" * 10
