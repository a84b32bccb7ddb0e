"""Children of a `fastflow up` that was killed: normally the kernel has ended them already."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from fastflow_cli.home import Home
from fastflow_cli.local.state import read_state

GONE_WITHIN_S = 5.0


def belongs(pid: int, home: Home) -> bool:
    """True when the process works for this home; another one may have the number by now."""
    folder = Path("/proc") / str(pid)
    try:
        mine = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
    except OSError:
        return False
    return str(home.path).encode() in mine


def end_leftovers(home: Home) -> list[str]:
    """End what is still there of the last start; returns the names. Call it with the home locked."""
    state = read_state(home)
    if state is None:
        return []
    alive = {name: pid for name, pid in state.children.items() if belongs(pid, home)}
    for pid in alive.values():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < deadline and any(belongs(pid, home) for pid in alive.values()):
        time.sleep(0.01)
    return list(alive)
