"""When somebody who is silent is given up. Pure: what was heard comes in, with a moment of a clock that nobody sets.

A lease that has run out makes a runner unreachable, no more. Its attempts are lost only when it has been silent for
`lost_after`, and never sooner than two leases and a margin after we ourselves could hear again: whoever was deaf
must not conclude that others were dumb. Whoever did not listen for longer than a lease was deaf, too: it was stopped,
and what it hears then may come from a server that was stopped along with it.
"""

from collections.abc import Iterable

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.types import Seconds

MARGIN_S = 5.0


class Hearing:
    """Since when one listener has been able to hear, without a break."""

    def __init__(self, attention_s: Seconds) -> None:
        """Listening less often than `attention_s` is not listening."""
        self._attention_s = attention_s
        self._listened: Seconds | None = None
        self.since: Seconds | None = None
        """None while nothing can be heard."""

    def listened(self, now: Seconds) -> Seconds:
        """We could listen at this moment, from before we did; returns since when we have been able to."""
        if self.since is None or self._listened is None or now - self._listened > self._attention_s:
            self.since = now
        self._listened = now
        return self.since

    def deaf(self) -> None:
        """We could not listen."""
        self.since = None


class Liveness:
    """Who was heard last when, by one listener."""

    def __init__(self, *, lease_s: Seconds, lost_after_s: Seconds) -> None:
        self._hearing = Hearing(lease_s)
        self._grace_s = 2 * lease_s + MARGIN_S
        self._lost_after_s = lost_after_s
        self._heard: dict[Holder, Seconds] = {}

    def heard(self, holders: Iterable[Holder], now: Seconds) -> None:
        """We could listen, and these are alive."""
        self._hearing.listened(now)
        for holder in holders:
            self._heard[holder] = now

    def deaf(self) -> None:
        """We could not listen."""
        self._hearing.deaf()

    def lost_at(self, holder: Holder) -> Seconds | None:
        """When the holder's attempts are lost if nothing is heard of it any more; None while we are deaf."""
        hearing_since = self._hearing.since
        if hearing_since is None:
            return None
        since = self._heard.setdefault(holder, hearing_since)
        return max(since + self._lost_after_s, hearing_since + self._grace_s)

    def forget(self, keep: Iterable[Holder]) -> None:
        """Drop whoever holds nothing."""
        kept = set(keep)
        self._heard = {holder: at for holder, at in self._heard.items() if holder in kept}
