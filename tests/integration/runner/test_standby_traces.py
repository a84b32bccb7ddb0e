"""What an attempt leaves in its network namespace, on a network as runs have it: nobody after it meets any of that."""

import json
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from docker import DockerClient
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.traces import FILES, is_unused
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.standby import OWNER, a_run, executed, kept, waits

pytestmark = pytest.mark.docker
DEPLOYMENT = Deployment(
    installation=INSTALLATION, network=f"fastflow-traces-{os.getpid()}", volume=f"fastflow-uv-{OWNER}"
)
WHERE = "import os, socket\ncookie = int.from_bytes(socket.socket().getsockopt(socket.SOL_SOCKET, 71, 8), 'little')"
"""SO_NETNS_COOKIE: unlike the number of its file, no other namespace ever has it again."""
LOOK = f"""
{WHERE}
import json
seen = []
for path in {FILES!r}:
    if os.path.exists(path):
        with open(path) as lines:
            seen += [f"{{path}}:{{line.rstrip()}}" for line in lines]
socket.create_server(("127.0.0.1", 5000), reuse_port=False).close()
print(json.dumps([cookie, "\\n".join(seen)]))
"""
SERVED = """
server = socket.socket()
server.bind(("127.0.0.1", 5000)); server.listen()
client = socket.create_connection(server.getsockname())
accepted, _ = server.accept()
"""
USES = {
    "a connection that its server closed": SERVED + "accepted.close(); client.close()",
    "a connection that its client closed": SERVED + "client.close(); accepted.close()",
    "a connection that nobody closed": SERVED,
    "a connection that was refused": "socket.socket().connect_ex(('127.0.0.1', 9))",
    "a connection that was never answered": "s = socket.socket(); s.settimeout(0.2); s.connect_ex(('198.51.100.1', 9))",
    "a datagram on the loopback device": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "a datagram to another machine": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('198.51.100.1', 9))",
    "a question for a name": """
try: socket.getaddrinfo('nowhere.invalid', 80)
except OSError: pass""",
    "an echo": """
s = socket.socket(type=socket.SOCK_DGRAM, proto=socket.IPPROTO_ICMP)
s.sendto(b'\\x08\\0\\0\\0\\0\\0\\0\\0', ('127.0.0.1', 0))""",
}
NO_USES = {
    "nothing": "",
    "a port": "s = socket.socket(); s.bind(('0.0.0.0', 5000)); s.listen()",
    "a port for datagrams": "s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('0.0.0.0', 5000))",
    "an abstract name": "s = socket.socket(socket.AF_UNIX); s.bind('\\0fastflow'); s.listen()",
    "a pair of sockets": "a, b = socket.socketpair(); a.send(b'x')",
}
CHANGES = """
import os, socket, struct
def tried(what):
    try: what()
    except OSError as error: return error.strerror
    return "done"
def add_address():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    body = struct.pack("BBBBI", socket.AF_INET, 8, 0, 0, 1) + struct.pack("HH4s", 8, 2, bytes((127, 9, 9, 9)))
    s.send(struct.pack("IHHII", 16 + len(body), 20, 0x605, 1, 0) + body)
    code = struct.unpack_from("i", s.recv(4096), 16)[0]
    if code: raise OSError(-code, os.strerror(-code))
def firewall(): socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def write(path): open(path, "r+").write("1")
for path in ("/proc/sys/net/ipv4/ip_local_port_range", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"):
    print(path, tried(lambda: write(path)))
print("address", tried(add_address))
print("firewall", tried(firewall))
"""


@pytest.fixture(scope="module", autouse=True)
def network(engine: str) -> Iterator[None]:
    """One as runs have it: of our own, where the engine answers questions for names inside the namespace."""
    client = DockerClient(base_url=f"unix://{engine}")
    made = client.networks.create(DEPLOYMENT.network, options={"com.docker.network.bridge.enable_icc": "false"})
    yield
    made.remove()
    client.close()


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    async with kept(proxy, standby=1, deployment=DEPLOYMENT) as executor:
        yield executor


async def looked(executor: DockerExecutor) -> tuple[int, str]:
    """The namespace of one more run, and what that one sees there."""
    await waits(executor)
    namespace, seen = json.loads((await executed(executor, await a_run(executor, LOOK)))[0])
    return namespace, seen


@pytest.mark.parametrize("what", USES)
async def test_a_namespace_that_a_run_used_is_not_handed_on(executor: DockerExecutor, what: str) -> None:
    used = int((await executed(executor, await a_run(executor, f"{WHERE}\nprint(cookie)\n{USES[what]}")))[0])
    for _ in range(2):
        namespace, seen = await looked(executor)
        assert namespace != used
        assert is_unused(seen)


@pytest.mark.parametrize("what", NO_USES)
async def test_a_namespace_that_shows_nothing_of_its_run_is_handed_on(executor: DockerExecutor, what: str) -> None:
    used = int((await executed(executor, await a_run(executor, f"{WHERE}\nprint(cookie)\n{NO_USES[what]}")))[0])
    for _ in range(6):
        namespace, seen = await looked(executor)
        assert is_unused(seen)
        if namespace == used:
            return
    raise AssertionError("the namespace was not handed on")


async def test_no_run_changes_what_others_find_in_its_namespace(executor: DockerExecutor) -> None:
    found, _ = await executed(executor, await a_run(executor, CHANGES))
    assert [line for line in found.splitlines() if line.endswith("done")] == []
    assert len(found.splitlines()) == 6
