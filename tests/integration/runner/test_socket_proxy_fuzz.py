"""Requests that were right, with something changed: what reaches the engine is what the runner could have written.

`FASTFLOW_FUZZ_S` says for how long (a minute; an hour before a release), `FASTFLOW_FUZZ_SEED` repeats one.
"""

import os
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from fastflow_runner.core.container_spec import VERSIONS, Deployment, calls, create_forms, update_form
from fastflow_runner.core.names import TOOLS
from fastflow_runner.core.policy import patterns
from fastflow_runner.core.template import fill, pattern
from fastflow_runner.testing.attacks import INSTALLATION, NAME, OURS, OWNER, PLACE, SERIAL
from fastflow_runner.testing.recording_engine import Arrived, RecordingEngine
from fastflow_runner.testing.socket_proxy import socket_proxy

pytestmark = pytest.mark.docker
DEPLOYMENT = Deployment(installation=INSTALLATION)
VERSION = VERSIONS[-1]
FOR_S = float(os.environ.get("FASTFLOW_FUZZ_S") or 60)
SEED = int(os.environ.get("FASTFLOW_FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))
AT_LEAST = 100
"""Changed requests, however busy the machine is."""
SLOTS = {
    "run": NAME,
    **{mode: f"{OURS}{mode}-{'0' * 32}" for mode in TOOLS},
    "source": f"{OURS}fetch-{'0' * 32}",
    "cache": f"{OURS}jit-{'0' * 32}",
    "owner": OWNER,
    "place": PLACE,
    "serial": SERIAL,
    "names": "1",
    "opened": "ip daddr 10.0.0.5/32 meta l4proto { tcp, udp } th dport 5432",
    "closed": "ip daddr 10.0.0.0/8;ip6 daddr fc00::/7",
    "listed": "",
    "memory": "268435456",
    "cpus": "1000000000",
    "pids": "512",
    "grace": "10",
    "follow": "1",
    "name": NAME,
}
ODD = (
    b"%2e",
    b"%2F",
    b"%00",
    b"\x00",
    b"\r\n",
    b"\n",
    b"/../",
    b"//",
    b"\\u0041",
    b'"',
    b"\xc3\xa9",
    b"\xff",
    b" ",
    b"\t",
)
ODD_HEADERS = (
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding : chunked",
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"Expect: 100-continue",
    b"Host: other",
    b"Connection: Upgrade\r\nUpgrade: tcp",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Content-Type: text/plain",
    b" folded",
    b"X-Forwarded-For: 127.0.0.1",
)
ODD_JSON = (
    b'"Privileged":true,',
    b'"privileged":true,',
    b'"Binds":["/:/host"],',
    b'"CapAdd":["ALL"],',
    b'"NetworkMode":"host",',
    b'"User":"0",',
    b'"PidMode":"host",',
)
Mutation = Callable[[random.Random, bytearray], None]


def requests(version: str) -> Iterator[bytes]:
    """One of every kind of request that the runner writes."""
    for call in calls(DEPLOYMENT).values():
        if not call.body:
            upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n" if call.upgrade else ""
            head = f"{call.method} /v{version}{fill(call.path, SLOTS)} HTTP/1.1\r\nHost: engine\r\n{upgrade}\r\n"
            yield head.encode()
    for form in create_forms(DEPLOYMENT).values():
        yield _posted(f"/v{version}/containers/create?name={fill(form.name, SLOTS)}", fill(form.body, SLOTS))
    form = update_form(DEPLOYMENT)
    yield _posted(f"/v{version}/containers/{fill(form.name, SLOTS)}/update", fill(form.body, SLOTS))


def _posted(target: str, body: str) -> bytes:
    return (
        f"POST {target} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def flip(rng: random.Random, data: bytearray) -> None:
    data[rng.randrange(len(data))] = rng.randrange(256)


def drop(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randint(1, 8)]


def repeat(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.randint(1, 40)]


def put_odd(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    data[at:at] = rng.choice(ODD)


def other_case(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    data[at : at + 8] = bytes(data[at : at + 8]).swapcase()


def put_header(rng: random.Random, data: bytearray) -> None:
    lines = [at.end() for at in re.finditer(rb"\r\n", bytes(data.partition(b"\r\n\r\n")[0]))]
    at = rng.choice(lines or [0])
    data[at:at] = rng.choice(ODD_HEADERS) + b"\r\n"


def put_key(rng: random.Random, data: bytearray) -> None:
    places = [at.end() for at in re.finditer(rb"\{", bytes(data))]
    if places:
        at = rng.choice(places)
        data[at:at] = rng.choice(ODD_JSON)


def other_installation(rng: random.Random, data: bytearray) -> None:
    places = [at.start() for at in re.finditer(INSTALLATION.encode(), bytes(data))]
    if places:
        at = rng.choice(places)
        data[at : at + len(INSTALLATION)] = b"4e5f6071"


def right_length(_: random.Random, data: bytearray) -> None:
    """Say how long the body is now, so that more than the length is judged."""
    head, middle, body = bytes(data).partition(b"\r\n\r\n")
    data[:] = re.sub(rb"(?i)(content-length: *)\d+", rb"\g<1>%d" % len(body), head) + middle + body


MUTATIONS: Sequence[Mutation] = (flip, drop, repeat, put_odd, other_case, put_header, put_key, other_installation)


def changed(rng: random.Random, known: Sequence[bytes]) -> bytes:
    data = bytearray(rng.choice(known))
    for _ in range(rng.randint(1, 3)):
        if data:
            rng.choice(MUTATIONS)(rng, data)
    if rng.random() < 0.7:
        right_length(rng, data)
    return bytes(data) + (rng.choice(known) if rng.random() < 0.1 else b"")


def is_ours(arrived: Arrived) -> bool:
    """Whether the runner could have written it, judged by what arrived and not by what the proxy took it for."""
    names = [header.partition(":")[0].strip().lower() for header in arrived.headers]
    if "transfer-encoding" in names or names.count("content-length") > 1:
        return False
    whole = f"{arrived.target}|{arrived.body.decode('latin-1')}"
    if arrived.body:
        return arrived.method == "POST" and any(re.fullmatch(form, whole) for _, form in patterns(VERSION, DEPLOYMENT))
    path = arrived.target.removeprefix(f"/v{VERSION}")
    return any(
        arrived.method == call.method and not call.body and re.fullmatch(pattern(call.path), path)
        for call in calls(DEPLOYMENT).values()
        if call.upgrade or "upgrade" not in names
    )


def send(port: int, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass  # it hung up


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[RecordingEngine]:
    with RecordingEngine(str(tmp_path / "e.sock")) as engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        yield engine
        engine.shutdown()


def test_nothing_that_the_runner_could_not_have_written_reaches_the_engine(
    engine: RecordingEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, known, sent, through = random.Random(SEED), list(requests(VERSION)), 0, 0
    with socket_proxy(tmp_path, engine=engine.path, deployment=DEPLOYMENT, version=VERSION) as url:
        port = int(url.rpartition(":")[2])
        for request in known:
            send(port, request)
        assert len(engine.seen) == len(known), "as they are, all of them pass"
        end = time.monotonic() + FOR_S
        while time.monotonic() < end or sent < AT_LEAST:
            engine.seen.clear()
            request = changed(rng, known)
            send(port, request)
            sent, through = sent + 1, through + len(engine.seen)
            foreign = [arrived for arrived in engine.seen if not is_ours(arrived)]
            assert not foreign, f"seed {SEED}, request {sent}: {request!r} let through {foreign}"
    with capsys.disabled():
        print(f"\nsocket proxy: {sent} changed requests, {through} let through, all of them ours (seed {SEED})")  # noqa: T201
