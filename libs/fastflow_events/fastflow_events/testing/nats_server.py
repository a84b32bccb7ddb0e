"""A private nats-server: its own port, its own store, about 20 ms."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastflow_events.nats_process import find_binary, start_server


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
