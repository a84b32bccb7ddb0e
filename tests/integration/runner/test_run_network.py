"""Where a run may connect: what is closed to every run, what its pipeline lists, and that no script changes it."""

import json
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from docker import DockerClient
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.adapters.docker.machine import addresses_beside
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.engine_machine import METADATA, Place, engine_machine
from fastflow_runner.testing.executor_contract import eventually, read_all
from fastflow_runner.testing.knocking import KNOCK, answers, knocking, sending
from fastflow_runner.testing.standby import OWNER, a_run, executed, kept, seen

pytestmark = pytest.mark.docker
DEPLOYMENT = Deployment(
    installation=INSTALLATION, network=f"fastflow-closing-{os.getpid()}", volume=f"fastflow-uv-{OWNER}"
)


@pytest.fixture(scope="module")
def place(engine: str) -> Iterator[Place]:
    """A network on which containers may talk to each other, and servers on all addresses of the machine."""
    with engine_machine(engine, DEPLOYMENT.network, six=0xFA57) as place:
        yield place


@pytest.fixture(params=[1, 0], ids=["standby", "cold"])
async def executor(proxy: str, place: Place, request: pytest.FixtureRequest) -> AsyncIterator[DockerExecutor]:
    opened = f"{place.gateway}:{place.opened.port},{place.gateway}:{place.also.port}"
    async with kept(proxy, standby=request.param, deployment=DEPLOYMENT, opened=opened) as executor:
        yield executor


@pytest.fixture
async def cold(proxy: str, place: Place) -> AsyncIterator[DockerExecutor]:
    opened = f"{place.gateway}:{place.opened.port},{place.gateway}:{place.also.port}"
    async with kept(proxy, standby=0, deployment=DEPLOYMENT, opened=opened) as executor:
        yield executor


async def test_no_run_reaches_its_engines_machine_or_the_metadata_of_a_cloud(
    executor: DockerExecutor, place: Place
) -> None:
    shut = place.shut_targets()
    before = len(place.shut.connections)
    targets = [*shut, ("tcp", place.gateway, place.opened.port), ("udp", place.gateway, place.opened.port)]
    printed, _ = await executed(executor, await a_run(executor, knocking(targets)))
    found = dict(zip(targets, answers(printed), strict=True))
    assert [target for target in shut if found[target]] == []
    assert [found[target] for target in targets[len(shut) :]] == [True, True]
    assert len(place.shut.connections) == before


async def test_nothing_that_a_run_sends_arrives_at_its_engines_machine_be_it_that_no_answer_is_wanted(
    executor: DockerExecutor, place: Place
) -> None:
    addresses = [place.gateway, place.gateway_6, place.elsewhere, *map(str, addresses_beside("unix:///"))]
    targets = [*((address, place.shut.port) for address in addresses), (place.gateway, place.also.port)]
    before = len(place.also.datagrams)
    printed, _ = await executed(executor, await a_run(executor, sending(targets)))
    assert answers(printed) == [*[False] * len(addresses), True]

    async def heard() -> bool:
        return len(place.also.datagrams) > before

    await eventually(heard)
    # What was sent before it would have been here before it.
    assert place.shut.datagrams == []


async def test_a_run_without_a_network_has_its_own_loopback_and_nothing_else(
    cold: DockerExecutor, place: Place
) -> None:
    script = f"""{KNOCK}
import os
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
tried = [knock(kind, {place.gateway!r}, {place.opened.port}) for kind in ("tcp", "udp", "icmp")]
print(json.dumps([sorted(os.listdir("/sys/class/net")), tried]))
"""
    printed, _ = await executed(cold, await a_run(cold, script, network="none"))
    assert json.loads(printed) == [["lo"], [False, False, False]]


async def test_a_list_reaches_what_it_says_and_nothing_else(cold: DockerExecutor, place: Place) -> None:
    listed = (f"{place.gateway}/32:{place.opened.port}", f"{place.gateway}/32:{place.shut.port}")
    targets = [
        ("tcp", place.gateway, place.opened.port),
        ("udp", place.gateway, place.opened.port),
        ("tcp", place.gateway, place.also.port),
        ("tcp", place.gateway, place.shut.port),
        ("udp", place.gateway, place.shut.port),
        ("icmp", place.gateway, 0),
        ("tcp", place.gateway_6, place.opened.port),
        *METADATA,
    ]
    printed, _ = await executed(cold, await a_run(cold, knocking(targets), network=listed))
    # Listing what is closed to all opens nothing.
    assert answers(printed) == [True, True, *[False] * (len(targets) - 2)]


async def test_a_list_of_everything_opens_nothing_that_is_closed_to_all(cold: DockerExecutor, place: Place) -> None:
    targets = [("tcp", address, place.shut.port) for address in (place.gateway, place.gateway_6, place.elsewhere)]
    targets += METADATA
    listed = ("0.0.0.0/0", "[::/0]", "dns")
    printed, _ = await executed(cold, await a_run(cold, knocking(targets), network=listed))
    assert not any(answers(printed))


async def test_a_list_without_names_answers_no_questions_for_them(cold: DockerExecutor, place: Place) -> None:
    script = """
import socket
for name in ("fastflow", "example"):
    s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(4)
    label = name.encode()
    question = bytes.fromhex("123401000001000000000000") + bytes((len(label),)) + label + bytes.fromhex("0000010001")
    try:
        s.connect(("127.0.0.11", 53)); s.send(question); print(len(s.recv(500)) > 0)
    except OSError: print(False)
"""
    asked = [
        await executed(cold, await a_run(cold, script, network=listed)) for listed in (("10.9.9.9/32:1",), ("dns",))
    ]
    assert [printed.split() for printed, _ in asked] == [["False", "False"], ["True", "True"]]


async def test_a_namespace_that_was_closed_for_one_run_is_given_to_no_other(
    executor: DockerExecutor, place: Place, person: DockerClient
) -> None:
    everything = [("tcp", place.gateway, place.opened.port), ("tcp", place.gateway, place.also.port)]
    one = (f"{place.gateway}/32:{place.opened.port}",)
    for _ in range(2):
        assert (await executed(executor, await a_run(executor, "", network=one)))[0] == ""
        printed, _ = await executed(executor, await a_run(executor, knocking(everything)))
        assert answers(printed) == [True, True]
        printed, _ = await executed(executor, await a_run(executor, knocking(everything), network=one))
        assert answers(printed) == [True, False]

    async def are_gone() -> bool:
        return not [net for net in seen(person, "net") if "-o" in str(net.name) and net.status == "exited"]

    await eventually(are_gone)


async def test_no_run_reaches_another_one(executor: DockerExecutor) -> None:
    listening = """
import socket, sys
tcp = socket.create_server(("::", 5000), family=socket.AF_INET6, dualstack_ipv6=True)
udp = socket.socket(type=socket.SOCK_DGRAM); udp.bind(("0.0.0.0", 5000))
found = socket.socket(type=socket.SOCK_DGRAM); found.connect(("198.51.100.1", 9))
print(found.getsockname()[0], flush=True)
for made in (tcp, udp): made.settimeout(15)
import threading
heard = []
def listen(call):
    try: heard.append(call())
    except OSError: pass
threads = [threading.Thread(target=listen, args=(call,)) for call in (tcp.accept, lambda: udp.recvfrom(100))]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("heard", len(heard))
"""
    listener = await a_run(executor, listening)
    await executor.launch(listener)
    found = b""
    async for frame in executor.frames(listener.ref, skip=0, follow=True):
        found += frame.data
        if b"\n" in found:
            break
    address = found.decode().split()[0]
    targets = [("tcp", address, 5000), ("udp", address, 5000), ("icmp", address, 0)]
    printed, _ = await executed(executor, await a_run(executor, knocking(targets)))
    assert answers(printed) == [False, False, False]
    await executor.wait(listener.ref, listener.nonce)
    out, _ = await read_all(executor, listener)
    assert out.decode().split()[1:] == ["heard", "0"]
    await executor.remove(listener.ref)


async def test_no_script_opens_what_is_closed(cold: DockerExecutor, place: Place) -> None:
    script = f"""{KNOCK}
import ctypes, os, struct, subprocess
tried = []
def attempt(what):
    try: tried.append(what() in (None, 0))
    except (OSError, subprocess.SubprocessError): tried.append(False)
def without_rules():
    # NFT_MSG_DELTABLE in a batch, as nft would write it.
    def message(kind, flags, body): return struct.pack("IHHII", 16 + len(body), kind, flags, 1, 0) + body
    name = b"fastflow\\0"
    attribute = struct.pack("HH", 4 + len(name), 1) + name + bytes(-len(name) % 4)
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    s.settimeout(4)
    s.send(message(16, 1, struct.pack(">BBH", 0, 0, 10)) + message(0xA02, 5, struct.pack(">BBH", 1, 0, 0) + attribute)
        + message(17, 1, struct.pack(">BBH", 0, 0, 10)))
    return struct.unpack_from("i", s.recv(4096), 16)[0]
def marked():
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1)
for kind in (socket.AF_INET, socket.AF_PACKET):
    attempt(lambda: socket.socket(kind, socket.SOCK_RAW, 6).close())
attempt(without_rules)
attempt(marked)
attempt(lambda: subprocess.run(["nft", "flush", "ruleset"], capture_output=True).returncode)
attempt(lambda: ctypes.CDLL(None, use_errno=True).unshare(0x40000000 | 0x10000000))
attempt(lambda: os.setuid(0))
around = socket.socket()
around.settimeout(4)
# Loose source route: the packet is for the opened port's machine, by way of it to where it may not go.
try:
    option = bytes((1, 131, 7, 4)) + socket.inet_aton({place.elsewhere!r})
    around.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, option)
    attempt(lambda: around.connect_ex(({place.gateway!r}, {place.opened.port})))
except OSError: tried.append(False)
bound = socket.socket()
bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
bound.settimeout(2)
attempt(lambda: bound.connect_ex(({place.gateway!r}, {place.shut.port})))
tried.append(knock("tcp", {place.gateway!r}, {place.shut.port}))
print(json.dumps(tried))
"""
    printed, _ = await executed(cold, await a_run(cold, script))
    assert answers(printed) == [False] * 10


async def test_private_networks_are_closed_where_the_runner_says_so(proxy: str, place: Place) -> None:
    opened = f"{place.gateway}:{place.opened.port}"
    async with kept(proxy, standby=0, deployment=DEPLOYMENT, opened=opened, closed="private") as executor:
        script = """
import errno, socket
def refused(host):
    s = socket.socket(type=socket.SOCK_DGRAM)
    try: s.connect((host, 9)); s.send(b"x")
    except OSError as error: return error.errno == errno.EPERM
    return False
hosts = "10.1.1.1", "172.31.0.9", "192.168.7.7", "100.64.0.1", "198.51.100.1", "203.0.113.1"
print([refused(host) for host in hosts])
"""
        printed, _ = await executed(executor, await a_run(executor, script))
        assert printed == str([True, True, True, True, False, False])
        printed, _ = await executed(executor, await a_run(executor, script, network=("10.0.0.0/8", "203.0.113.0/24")))
        assert printed == str([True, True, True, True, True, False])
        targets = [("tcp", place.gateway, place.opened.port)]
        printed, _ = await executed(executor, await a_run(executor, knocking(targets)))
        assert answers(printed) == [True]
