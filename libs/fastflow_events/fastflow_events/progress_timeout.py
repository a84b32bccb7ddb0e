"""How long to wait for a program that starts: as long as it works, and no longer. Pure."""

from typing import NamedTuple

STALLED_AFTER_S = 20.0
"""A server without any sign of work for this long hangs."""
TOO_LONG_S = 7200.0
"""Whoever works for this long and does not answer works at nothing."""
CPU_S, IO_BYTES = 0.1, 1_000_000
"""What counts as work; a program that hangs still looks at its clock now and then."""


class Signs(NamedTuple):
    """What can be seen of a program from outside; sums since its start."""

    log_bytes: int
    cpu_s: float
    io_bytes: int


class ProgressTimeout:
    """Is told what is seen, and says when it is enough; instants are monotonic seconds."""

    def __init__(self, now: float, *, stalled_after_s: float = STALLED_AFTER_S, too_long_s: float = TOO_LONG_S) -> None:
        self._began = self._worked_at = now
        self._stalled_after_s = stalled_after_s
        self._too_long_s = too_long_s
        self._last: Signs | None = None

    def saw(self, signs: Signs, now: float) -> None:
        """Take signs of work into account."""
        if self._last is None or _worked(self._last, signs):
            self._last, self._worked_at = signs, now

    def over(self, now: float) -> str:
        """Why waiting has no sense any more; empty while it has."""
        if (silent_s := now - self._worked_at) >= self._stalled_after_s:
            return f"it has shown no sign of work for {silent_s:.0f} s"
        if now - self._began >= self._too_long_s:
            return f"it works, but does not answer after {now - self._began:.0f} s"
        return ""


def _worked(before: Signs, after: Signs) -> bool:
    return (
        after.log_bytes != before.log_bytes
        or after.cpu_s - before.cpu_s >= CPU_S
        or after.io_bytes - before.io_bytes >= IO_BYTES
    )
