"""What the entry program asks of the Linux kernel; every call is best effort and says whether it worked."""

import os
import resource
import signal
import sys
from contextlib import suppress

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_FULL_BYTES = 65_536
_GENERATIONS = 1000
_OOM_SCORE = "/proc/self/oom_score_adj"
_SIGNALFD_BYTES, _CODE, _SENDER = 128, slice(8, 12), slice(12, 16)  # linux/signalfd.h
_BY_KILL = bytes(4)  # SI_USER: only then does the kernel itself say who sent a signal
NOBODY = -1
"""In the place of a pid that the sender has made up."""
_score_fd: int | None = None
_hardened = False
_OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events",)
_MEMORY_LIMITS = ("/sys/fs/cgroup/memory/memory", "/sys/fs/cgroup/memory/memory.memsw")
_BATCH_BYTES = 1 << 20  # processors take memory in batches: the most that was seen may be a little less than the limit
_PIDS_COUNTERS = ("/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events")


def harden() -> bool:
    """Close this process to others of the same user, and inherit orphaned descendants; True once both are so.

    Nobody else may then read or write its memory, its environment and what it has open (`/proc/PID/fd`), or trace it.
    What it starts is open again; who forks off it is not.
    """
    global _score_fd, _hardened  # noqa: PLW0603 - a process is hardened once
    if _hardened:
        return True
    if _score_fd is None:
        with suppress(OSError):  # the right to open it goes
            _score_fd = os.open(_OOM_SCORE, os.O_RDWR | os.O_CLOEXEC)
    # Imported here: it is not part of every Python.
    try:
        import ctypes  # noqa: PLC0415

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return False
    closed = prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 and prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
    _hardened = bool(closed and prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    return _hardened


def set_oom_score(score: bytes) -> None:
    """Make the kernel kill this process, and those it starts from now on, sooner or later than others."""
    if _score_fd is not None:
        with suppress(OSError):
            os.pwrite(_score_fd, score, 0)


def oom_kills() -> int:
    """Processes of this container that the kernel killed for memory; 0 where it does not say."""
    return _counted("oom_kill", _OOM_COUNTERS)


def reached_memory_limit() -> bool:
    """True when this container came to its own limit of memory; else the machine needed what the kernel took."""
    if _counted("oom", _MEMORY_EVENTS):
        return True
    seen = ((_number(f"{of}.max_usage_in_bytes"), _number(f"{of}.limit_in_bytes")) for of in _MEMORY_LIMITS)
    return any(most and most + _BATCH_BYTES >= limit for most, limit in seen)


def limit_data(pid: int, most_bytes: int) -> None:
    """Let a process, and those it starts, have no more memory of their own than that, each."""
    with suppress(OSError, ValueError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (most_bytes, most_bytes))


def open_signal(number: signal.Signals) -> int | None:
    """Descriptor from which the signal is read from now on, instead of being handled; None where that does not work."""
    try:
        import ctypes  # noqa: PLC0415

        mask = ctypes.create_string_buffer(128)
        library = ctypes.CDLL(None)
        library.sigemptyset(mask)
        library.sigaddset(mask, int(number))
        fd: int = library.signalfd(-1, mask, os.O_NONBLOCK | os.O_CLOEXEC)
    except (ImportError, OSError, AttributeError):
        return None
    if fd < 0:
        return None
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    return fd


def read_sender(fd: int) -> int | None:
    """Who sent the signal that is there: its pid, 0 for somebody outside of this container; None when none is there.

    `NOBODY` where the sender could say what it liked (`sigqueue`).
    """
    try:
        siginfo = os.read(fd, _SIGNALFD_BYTES)
    except OSError:
        return None
    if len(siginfo) != _SIGNALFD_BYTES:
        return None
    return int.from_bytes(siginfo[_SENDER], sys.byteorder) if siginfo[_CODE] == _BY_KILL else NOBODY


def is_below(pid: int, ancestor: int) -> bool:
    """True when the process descends from the other; False when it is gone."""
    seen = 0
    while pid > 1 and seen < _GENERATIONS:
        if pid == ancestor:
            return True
        pid, seen = _parent(str(pid)) or 0, seen + 1
    return False


def refused_processes() -> int:
    """How often the kernel gave this container no more processes or threads; 0 where it does not say."""
    return _counted("max", _PIDS_COUNTERS)


def _counted(counter: str, paths: tuple[str, ...]) -> int:
    for path in paths:
        try:
            with open(path, encoding="ascii") as counters:  # noqa: PTH123 - pathlib costs start-up time
                for line in counters:
                    name, _, count = line.partition(" ")
                    if name == counter:
                        return int(count)
        except (OSError, ValueError):
            continue
    return 0


def _number(path: str) -> int:
    try:
        with open(path, encoding="ascii") as counter:  # noqa: PTH123 - pathlib costs start-up time
            return int(counter.read())
    except (OSError, ValueError):
        return 0


def is_full(path: str) -> bool:
    """True when no room is left on the disk below `path`; False where it does not say."""
    try:
        found = os.statvfs(path)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _FULL_BYTES or (found.f_files > 0 and found.f_favail == 0)


def network_bytes() -> tuple[int, int] | None:
    """Bytes received and sent over this namespace's devices, but the loopback; None where nobody says."""
    received = sent = 0
    try:
        with open("/proc/net/dev", encoding="ascii") as devices:  # noqa: PTH123 - pathlib costs start-up time
            for line in devices:
                name, colon, counters = line.partition(":")
                if colon and name.strip() != "lo":
                    fields = counters.split()
                    received, sent = received + int(fields[0]), sent + int(fields[8])
    except (OSError, ValueError, IndexError):
        return None
    return received, sent


def kill_children() -> bool:
    """Kill every child of this process, orphans it inherited included; True when some were left to kill."""
    me = os.getpid()
    if me == 1:
        # Everybody else in this container, in one step: no fork is faster.
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
            return True
        return False
    killed = False
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib costs start-up time
        if name.isdigit() and _parent(name) == me:
            try:
                os.kill(int(name), signal.SIGKILL)
                killed = True
            except OSError:
                continue
    return killed


def _parent(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - pathlib costs start-up time
            # The command may hold blanks and brackets: the fields count from the last bracket.
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None
