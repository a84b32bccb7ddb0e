"""What the processes of an attempt use, out of `/proc`; its entry program is the leader of their session."""

import os
from contextlib import suppress
from pathlib import Path

from fastflow_events.service.clock import utc_now

from fastflow_runner.adapters.process.table import ProcessId
from fastflow_runner.core.usage import Usage

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def usage_of(leader: ProcessId) -> Usage | None:
    """What the session of the process uses; None when nothing of it lives. Its network is everybody's."""
    ticks = pages = read = written = found = 0
    counted = False
    for process in _session(leader.pid):
        # One that goes away meanwhile is left out: who waits for it takes its times over.
        with suppress(OSError, ValueError, IndexError):
            # The command may hold blanks and brackets: the fields count from the last bracket.
            stat = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
            # Its own time, and that of children it has waited for.
            ticks += sum(int(each) for each in stat[11:15])
            size = (process / "statm").read_text().split()
            # Without what is shared with others or mapped from files.
            pages += max(int(size[1]) - int(size[2]), 0)
            found += 1
            fields = dict(line.split(": ") for line in (process / "io").read_text().splitlines())
            read, written, counted = read + int(fields["read_bytes"]), written + int(fields["write_bytes"]), True
    if not found:
        return None
    return Usage(
        at=utc_now(),
        cpu_s=ticks / _TICKS_PER_S,
        memory_bytes=pages * _PAGE_BYTES,
        read_bytes=read if counted else None,
        written_bytes=written if counted else None,
    )


def machine_memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES


def _session(leader: int) -> list[Path]:
    """Processes of a session; asking each for its session costs least."""
    found = []
    for name in os.listdir(_PROC):  # noqa: PTH208 - several hundred names, once a second
        if name.isdigit():
            with suppress(OSError):
                if os.getsid(int(name)) == leader:
                    found.append(_PROC / name)
    return found
