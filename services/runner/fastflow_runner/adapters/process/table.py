"""Processes of this machine, told apart for good: pids are given out again; with start time and boot they are not."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

_PROC = Path("/proc")
_POLL_S = 0.05


class ProcessId(Struct, frozen=True, kw_only=True):
    """One process, for ever."""

    pid: int
    start: int
    """Clock ticks between boot and its start."""
    boot: str


def boot_id() -> str:
    """Id of this machine's current boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> ProcessId | None:
    """The process that bears `pid` now; None when none does."""
    found = _stat(pid)
    return None if found is None else ProcessId(pid=pid, start=int(found[19]), boot=boot_id())


def is_alive(process: ProcessId) -> bool:
    """True while it executes; a zombie does not."""
    found = _stat(process.pid)
    return found is not None and int(found[19]) == process.start and found[0] not in "ZX" and process.boot == boot_id()


def reap(pid: int) -> int | None:
    """Exit code, or minus the signal, of an ended child of ours; None for all others."""
    with suppress(ChildProcessError):
        reaped, status = os.waitpid(pid, os.WNOHANG)
        if reaped == pid:
            return os.waitstatus_to_exitcode(status)
    return None


def send(process: ProcessId, number: int) -> None:
    """Signal it, unless it has ended."""
    with suppress(ProcessLookupError):
        if is_alive(process):
            os.kill(process.pid, number)


def kill_session(leader: ProcessId, mark: bytes, *, spare_leader: bool = False) -> bool:
    """Kill what lives in the leader's session and has the variable `mark` in its environment; True when something did.

    The mark makes sure that a session which got the same number later is left alone.
    """
    killed = False
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or (spare_leader and int(entry.name) == leader.pid):
            continue
        found = _stat(int(entry.name))
        if found is None or int(found[3]) != leader.pid or found[0] in "ZX":
            continue
        with suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
                killed = True
    return killed


async def ended(process: ProcessId, *, within_s: float | None = None) -> bool:
    """True once it has ended; False when it still runs after `within_s`."""
    loop = asyncio.get_running_loop()
    give_up = None if within_s is None else loop.time() + within_s
    while is_alive(process):
        if give_up is not None and loop.time() >= give_up:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def _stat(pid: int) -> list[str] | None:
    """Fields of `/proc/<pid>/stat` from the state on: state, parent, group, session, ...; the start time is at 19."""
    try:
        # The command may hold blanks and brackets: the fields count from the last bracket.
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
