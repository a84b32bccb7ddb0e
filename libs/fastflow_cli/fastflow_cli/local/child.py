"""One supervised child process."""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

FIRST_DELAY_S = 0.5
LAST_DELAY_S = 30.0
STABLE_AFTER_S = 30.0
"""Who lived this long has forgotten its earlier failures."""


def backoff_s(failures: int) -> float:
    """Seconds to wait before the next start: 0.5, 1, 2 … 30."""
    return float(min(LAST_DELAY_S, FIRST_DELAY_S * 2 ** min(failures - 1, 10)))


def end_of(code: int) -> str:
    """How a process ended, in words; a negative code is a signal."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


@dataclass
class Child:
    """A process that should run, and how often it did not."""

    name: str
    spawn: "Callable[[], subprocess.Popen[bytes]]"
    process: "subprocess.Popen[bytes] | None"
    started_at: float
    """Monotonic seconds."""
    wanted: bool = True
    failures: int = 0
    """Unasked ends in a row."""
    last_code: int | None = None
    """How it ended last; negative for a signal."""
    restart_at: float | None = None
    """Monotonic seconds of the next start; None while it runs."""

    @property
    def is_running(self) -> bool:
        """True while the process lives."""
        return self.process is not None and self.process.poll() is None

    def failed(self, lived_s: float) -> None:
        """Count an unasked end."""
        self.failures = 1 if lived_s >= STABLE_AFTER_S else self.failures + 1

    def terminate(self) -> None:
        """Ask it to end."""
        self.restart_at = None
        if self.process is not None and self.is_running:
            self.process.terminate()

    def kill(self) -> bool:
        """End it and what it started in its session; True when it was still there."""
        if self.process is None or not self.is_running:
            self.process = None
            return False
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.process.pid) == self.process.pid:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process = None
        return True
