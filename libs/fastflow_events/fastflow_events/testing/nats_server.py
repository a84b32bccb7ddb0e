"""A private nats-server: its own port, its own store, about 20 ms."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from fastflow_events.nats.server_process import RunningServer, find_binary, start_server

STOPPED = frozenset("TtZX")
"""States of threads that do nothing; source: proc_pid_stat(5)."""


class MortalServer:
    """A server that may be stopped, killed and started again, on its port and with its store; the caller ends it.

    Raises:
        InfrastructureError: there is no binary, or it did not start.
    """

    def __init__(self, store: Path) -> None:
        """Starts it."""
        self._store = store
        self._running = self._run(-1)
        self.url = self._running.url

    def start(self) -> None:
        """Have it answer again."""
        self._running = self._run(urlsplit(self.url).port or -1)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._running.process.terminate()
        self._running.process.wait()

    def kill(self) -> None:
        """`kill -9`, and nothing else."""
        self._running.process.kill()
        self._running.process.wait()

    def signal(self, number: int) -> None:
        """Signal it and do not wait; but what stops it is waited for, as a thread may answer until it has stopped."""
        self._running.process.send_signal(number)
        while number == signal.SIGSTOP and not _is_stopped(self._running.process.pid):
            time.sleep(0.001)

    def _run(self, port: int) -> RunningServer:
        return start_server(find_binary(os.environ), self._store, port=port)


def _is_stopped(pid: int) -> bool:
    """Whether no thread of it does anything any more."""
    try:
        states = [stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # a thread has just ended
        return False
    return all(state in STOPPED for state in states)


@contextmanager
def nats_server(store: Path, *, config: str = "") -> Iterator[str]:
    """Run a server until the block ends; yields its URL.

    `config` is added to the configuration: accounts, limits.

    Raises:
        InfrastructureError: there is no binary, or it did not start.
    """
    server = start_server(find_binary(os.environ), store, config=config)
    try:
        yield server.url
    finally:
        server.process.terminate()
        try:
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
        if server.process.stderr:
            server.process.stderr.close()
        shutil.rmtree(store, ignore_errors=True)
