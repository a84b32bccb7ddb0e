"""Free ports on loopback."""

import socket

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
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


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
