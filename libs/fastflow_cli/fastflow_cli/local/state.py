"""`up.json` and `up.lock`: who runs here, and where."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Struct

from fastflow_cli.home import Home


class UpState(Struct, frozen=True, kw_only=True):
    """What `fastflow up` says about itself; kept after it ended, because it remembers the repository."""

    pid: int
    ready: bool
    """False until everything has started once."""
    url: str
    """Of the gateway."""
    nats_url: str
    executor: str
    why: str
    """Why this executor."""
    git_url: str
    branch: str | None
    started_at: str
    """RFC 3339, UTC."""
    children: dict[str, int] = {}
    """Name to process id."""
    doing: str = ""
    """What is waited for while it starts."""
    health: dict[str, str] = {}
    """Name of each service to the address under which it says how it is."""


class AlreadyRunningError(Exception):
    """Another `fastflow up` holds the lock of this home."""


def read_state(home: Home) -> UpState | None:
    """What was written last, or None."""
    try:
        return msgspec.json.decode(home.state_file.read_bytes(), type=UpState)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write_state(home: Home, state: UpState) -> None:
    """Replace the file, complete or not at all."""
    partial = home.state_file.with_suffix(".part")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
    partial.replace(home.state_file)


@contextmanager
def locked(home: Home, *, within_s: float = 0.5) -> Iterator[None]:
    """Hold the home while the block runs; the kernel lets go of it however we end.

    Somebody who only looks whether it is held holds it for an instant, hence the little patience.

    Raises:
        AlreadyRunningError: somebody else holds it.
    """
    descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + within_s
    try:
        while not _lock(descriptor):
            if time.monotonic() >= deadline:
                raise AlreadyRunningError(home.path)
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_up(home: Home) -> bool:
    """True while a `fastflow up` holds this home."""
    if not home.lock_file.exists():
        return False
    try:
        with locked(home, within_s=0.0):
            return False
    except AlreadyRunningError:
        return True
