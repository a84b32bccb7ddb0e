"""The script as a child process: started in its own group, stopped, reaped, and nothing left behind."""

import os
import signal
import time
from contextlib import suppress

from fastflow_runner.entry import linux
from fastflow_runner.entry.output import STDERR, STDOUT

_KILL_ROUNDS = 200
_KILL_PAUSE_S = 0.005
_DEFAULT_SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGCHLD,
    signal.SIGALRM,
    signal.SIGPIPE,
    signal.SIGXFSZ,
)


class Child:
    """One process and the read ends of its two pipes, which are there before it is: who reads them must look first."""

    pid: int

    def __init__(self) -> None:
        """Make the pipes; nothing is started yet."""
        self.status: int | None = None
        """Wait status, once it has ended."""
        self._pipes = {STDOUT: os.pipe(), STDERR: os.pipe()}
        self.streams = {read: stream for stream, (read, _) in self._pipes.items()}
        """Descriptor to stream, of those still open."""

    def start(self, argv: list[str], env: dict[str, str]) -> None:
        """Start it in the current folder, once.

        Raises:
            OSError: the interpreter cannot be executed.
        """
        # The script inherits the score: the kernel takes it, not the one who has to say so.
        linux.set_oom_score(b"1000")
        try:
            self.pid = os.posix_spawn(
                argv[0],
                argv,
                env,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    *((os.POSIX_SPAWN_DUP2, write, stream) for stream, (_, write) in self._pipes.items()),
                ],
                setpgroup=0,
                setsigmask=[],
                setsigdef=_DEFAULT_SIGNALS,
            )
        finally:
            linux.set_oom_score(b"0")
            for _, write in self._pipes.values():
                os.close(write)

    def signal(self, number: int) -> None:
        """Signal the child and its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
            return
        # It may have moved to another group.
        with suppress(ProcessLookupError, PermissionError):
            if self.status is None:
                os.kill(self.pid, number)

    def reap(self) -> None:
        """Collect whatever has ended, inherited orphans included; never waits."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status

    def kill_rest(self) -> None:
        """Kill what the child left behind: its group, and every orphan this process inherited."""
        self.signal(signal.SIGKILL)
        # Each round may hand over the children of those killed in it.
        for _ in range(_KILL_ROUNDS):
            self.reap()
            try:
                if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and not linux.kill_children():
                    return
            except ChildProcessError:
                return
            time.sleep(_KILL_PAUSE_S)
