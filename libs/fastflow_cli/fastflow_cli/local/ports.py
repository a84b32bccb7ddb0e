"""Free ports, and ports that are about to be used."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from fastflow_cli.errors import UsageError

TRIES = 100


def is_free(host: str, port: int) -> bool:
    """True when somebody could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def any_free(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on."""
    return free_ports(1, host)[0]


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Different ports that nobody listens on."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for probe in probes:
            probe.bind((host, 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def reserved(start: int, host: str = "127.0.0.1") -> Iterator[int]:
    """The first free port from `start` on that no other installation reserves, for as long as the block runs.

    Whoever asks whether a port is free, and listens on it seconds later, needs more than the answer.

    Raises:
        UsageError: there is none.
    """
    while True:
        port = first_free(start, host)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as claim:
            try:
                claim.bind(f"\0fastflow-port-{port}")  # a name, no file: the kernel forgets it with the process
            except OSError:
                start = port + 1
                continue
            yield port
            return


def first_free(start: int, host: str = "127.0.0.1") -> int:
    """The first free port from `start` on; 0 takes any.

    Raises:
        UsageError: none of a hundred is free.
    """
    if start == 0:
        return any_free(host)
    for port in range(start, min(start + TRIES, 65_536)):
        if is_free(host, port):
            return port
    raise UsageError(f"no port from {start} on is free on {host}", fix="fastflow up --port 0")
