"""How many standby workers there should be, and of which kind; pure.

| in the last minute | wanted |
|---|---|
| no attempt was started | one: the first run after a quiet night is as fast as any |
| n attempts were started | n, up to the ceiling |
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from fastflow_runner.core.bounds import Bounds

BUSY_S = 60.0
"""How long a start counts as demand."""
RENEW_AFTER_S = 1800.0
"""Age at which a waiting worker is replaced: half of what the socket proxy lets a stream be silent."""
SHORT_LIFE_S = 60.0
"""A worker that ends by itself sooner says that something cuts its stream; the next is then made later."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Start(Struct, frozen=True):
    """An attempt was started, with a standby worker or without."""

    at: float
    """By any clock that does not jump."""
    bounds: Bounds


def wanted(starts: Iterable[Start], now: float, ceiling: int) -> int:
    """Size of the pool."""
    return min(ceiling, max(1, sum(now - start.at <= BUSY_S for start in starts)))


def next_bounds(starts: Sequence[Start], now: float, waiting: Iterable[Bounds], usual: Bounds) -> Bounds:
    """Limits of the worker that is made next: those asked for most of late, less the workers that have them already.

    `usual` before anybody has asked.

    A worker that has the limits of its attempt already need not be given them, which takes longer than all the rest.
    """
    missing = Counter(start.bounds for start in starts if now - start.at <= BUSY_S)
    missing.subtract(waiting)
    if missing and max(missing.values()) > 0:
        return missing.most_common(1)[0][0]
    return starts[-1].bounds if starts else usual


def too_old(age_s: float) -> bool:
    """True when a worker is replaced although nothing is wrong with it."""
    return age_s > RENEW_AFTER_S


def pause_after(pause_s: float, lived_s: float) -> float:
    """Seconds until the next worker may be made, after one ended by itself; `pause_s` is the one before, 0 at first."""
    if lived_s >= SHORT_LIFE_S:
        return 0.0
    return min(max(pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
