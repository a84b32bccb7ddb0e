"""When a runner that is silent is given up. Pure: what was seen comes in, with the instant at which it was seen.

A lease that has run out makes a runner unreachable, no more. Its attempts are lost only when it has been silent for
`lost_after`, and never sooner than two leases and a margin after we ourselves could hear again: whoever was deaf
must not conclude that others were dumb. Whoever did not listen for longer than a lease was deaf, too: it was stopped,
and what it hears then may come from a server that was stopped along with it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.types import Seconds

MARGIN_S = 5.0


class Liveness:
    """Who was heard last when, by one listener."""

    def __init__(self, *, lease_s: Seconds, lost_after_s: Seconds) -> None:
        self._lease = timedelta(seconds=lease_s)
        self._grace = timedelta(seconds=2 * lease_s + MARGIN_S)
        self._lost_after = timedelta(seconds=lost_after_s)
        self._heard: dict[Holder, datetime] = {}
        self._hearing_since: datetime | None = None
        self._listened: datetime | None = None

    def heard(self, holders: Iterable[Holder], now: datetime) -> None:
        """We could listen, and these are alive; `now` is of a clock that nobody sets, from before we listened."""
        stopped = self._listened is not None and now - self._listened > self._lease
        if self._hearing_since is None or stopped:
            self._hearing_since = now
        self._listened = now
        for holder in holders:
            self._heard[holder] = now

    def deaf(self) -> None:
        """We could not listen."""
        self._hearing_since = None

    def last_heard(self, holder: Holder) -> datetime | None:
        """When the holder was heard last; None when we never heard it."""
        return self._heard.get(holder)

    def lost_at(self, holder: Holder) -> datetime | None:
        """When the holder's attempts are lost if nothing is heard of it any more; None while we are deaf."""
        if self._hearing_since is None:
            return None
        since = self._heard.setdefault(holder, self._hearing_since)
        return max(since + self._lost_after, self._hearing_since + self._grace)

    def forget(self, keep: Iterable[Holder]) -> None:
        """Drop whoever holds nothing."""
        kept = set(keep)
        self._heard = {holder: at for holder, at in self._heard.items() if holder in kept}
