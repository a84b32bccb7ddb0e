"""What a script tries that wants to reach what it must not, and servers of this machine that hear of it."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

KNOCK = """
import json, socket, sys
def knock(kind, host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if kind == "icmp":
        number, echo = (58, 128) if family == socket.AF_INET6 else (1, 8)
        made, said = socket.socket(family, socket.SOCK_DGRAM, number), bytes((echo, *bytes(7)))
    else:
        made, said = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM), b"knock"
    made.settimeout(4)
    try:
        made.connect((host, port))
        if kind != "tcp":
            made.send(said)
        return made.recv(100) != b""
    except OSError:
        return False
    finally:
        made.close()
"""
"""Defines `knock(kind, host, port)`: whether somebody at that address answers."""


def knocking(targets: Sequence[tuple[str, str, int]]) -> str:
    """A script that knocks everywhere, at once, and prints who answers."""
    return f"""{KNOCK}
from concurrent.futures import ThreadPoolExecutor
targets = {list(targets)!r}
with ThreadPoolExecutor(len(targets)) as threads:
    answers = list(threads.map(lambda target: knock(*target), targets))
print(json.dumps(answers))
"""


def sending(targets: Sequence[tuple[str, int]]) -> str:
    """A script that sends a datagram everywhere, wants no answer, and prints what the kernel let it send."""
    return f"""
import json, socket
def sent(host, port):
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.sendto(b"one way", (host, port))
    except OSError: return False
    return True
print(json.dumps([sent(*target) for target in {list(targets)!r}]))
"""


def answers(printed: str) -> list[bool]:
    """Who answered, in the order of the targets."""
    found: list[bool] = json.loads(printed)
    return found


class Heard:
    """A server on every address of this machine, over TCP and UDP at one port, that answers whoever knocks."""

    def __init__(self, tcp: socket.socket, udp: socket.socket) -> None:
        self.port: int = tcp.getsockname()[1]
        self.datagrams: list[Any] = []
        self.connections: list[Any] = []
        self._sockets = (tcp, udp)
        self._threads = [threading.Thread(target=serve) for serve in (self._accept, self._receive)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Hear nothing any more."""
        for made in self._sockets:
            # A close alone does not wake who waits in it.
            with suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for made in self._sockets:
            made.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._sockets[0].accept()
            except OSError:
                return
            self.connections.append(peer)
            with connection:
                connection.send(b"heard")

    def _receive(self) -> None:
        while True:
            try:
                datagram, peer = self._sockets[1].recvfrom(100)
            except OSError:
                return
            if not datagram:
                return
            self.datagrams.append(peer)
            self._sockets[1].sendto(b"heard", peer)


@contextmanager
def servers(number: int) -> Iterator[list[Heard]]:
    """Several of them."""
    with ExitStack() as stack:
        made = []
        for _ in range(number):
            tcp = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
            udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            udp.bind(("::", tcp.getsockname()[1]))
            made.append(heard := Heard(tcp, udp))
            stack.callback(heard.close)
        yield made
