"""Whether and when an attempt that ended is tried again. Pure; even chance is the run's own.

| strategy | delay before retry n, counting from 1 |
|---|---|
| `fixed_delay` | `delay_s` |
| `exponential_backoff` | `delay_s` × `multiplier`^(n−1), at most `max_delay_s` |
| `custom_schedule` | `delays_s[n−1]`; the last one repeats; 60 s without any |

Jitter makes each delay longer by up to its share, always by the same amount for the same attempt.
"""

from datetime import datetime

from fastflow_events.aggregates.run.specification import RetryPolicy, Specification
from fastflow_events.instants import later
from fastflow_events.types import Outcome, Seconds

from fastflow_scheduler.core.stable_fraction import stable_fraction

DEFAULT_DELAY_S = 60.0
LONGEST_S = 366 * 86_400.0
LOST_AGAIN = 10
"""A run whose machines keep dying under it is given up after so many."""


def retry_due(
    run_id: str,
    attempt: int,
    outcome: Outcome,
    specification: Specification | None,
    *,
    ended_at: datetime,
    lost: int = 0,
) -> datetime | None:
    """When the run is tried again after `attempt` ended; None when it is not.

    `lost` counts the run's attempts that were lost, this one included; they use up no retry.
    """
    if specification is None or outcome in ("succeeded", "cancelled"):
        return None
    if outcome == "lost":
        return ended_at if specification.retry_on_lost and lost <= LOST_AGAIN else None
    number = attempt - lost
    if number > specification.retry.attempts:
        return None
    return later(ended_at, delay_s(specification.retry, number, run_id))


def delay_s(policy: RetryPolicy, number: int, run_id: str) -> Seconds:
    """Seconds before retry `number`, counting from 1."""
    match policy.strategy:
        case "fixed_delay":
            plain = policy.delay_s
        case "exponential_backoff":
            plain = min(policy.max_delay_s, _grown(policy, number))
        case "custom_schedule":
            plain = policy.delays_s[min(number, len(policy.delays_s)) - 1] if policy.delays_s else DEFAULT_DELAY_S
    return min(LONGEST_S, plain * (1 + policy.jitter * stable_fraction(run_id, number)))


def _grown(policy: RetryPolicy, number: int) -> float:
    try:
        return float(policy.delay_s * policy.multiplier ** (number - 1))
    except OverflowError:
        return policy.max_delay_s
