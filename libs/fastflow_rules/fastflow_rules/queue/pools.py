"""Free slots of the runners that are alive, by pool.

A runner may take work from several pools. A dispatch that nobody claimed yet may land on any runner of its pool, so it
counts against every pool that shares a runner with it: too little is handed out for a moment, never too much.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import chain

from msgspec import Struct


class LiveRunner(Struct, frozen=True, kw_only=True):
    """A runner whose heartbeat is alive."""

    slots: int
    pools: tuple[str, ...]


class Pools:
    """Who is alive, and what they hold."""

    def __init__(self) -> None:
        self.runners: Mapping[str, LiveRunner] = {}
        self._members: dict[str, list[str]] = {}
        self._related: dict[str, frozenset[str]] = {}
        self._held: Counter[str] = Counter()
        self._unclaimed: Counter[str] = Counter()

    def set_runners(self, runners: Mapping[str, LiveRunner]) -> set[str]:
        """Learn who is alive; returns the pools that may have free slots now."""
        self.runners = dict(runners)
        self._members = {}
        for name, runner in runners.items():
            for pool in runner.pools:
                self._members.setdefault(pool, []).append(name)
        self._related = _related([frozenset(runner.pools) for runner in runners.values()])
        return set(self._members)

    def take(self, pool: str, runner: str | None) -> None:
        """An attempt waits in `pool`, or `runner` holds it."""
        if runner is None:
            self._unclaimed[pool] += 1
        else:
            self._held[runner] += 1

    def give(self, pool: str, runner: str | None) -> set[str]:
        """It does not any more; returns the pools that may have a free slot now."""
        if runner is None:
            self._unclaimed[pool] -= 1
            return {pool, *self._related.get(pool, ())}
        self._held[runner] -= 1
        known = self.runners.get(runner)
        return {pool, *(known.pools if known else ())}

    def alive(self, pool: str) -> int:
        """Live runners of the pool."""
        return len(self._members.get(pool, ()))

    def free(self, pool: str) -> int:
        """Slots that a new attempt of the pool can count on."""
        slots = sum(max(0, self.runners[name].slots - self._held[name]) for name in self._members.get(pool, ()))
        return slots - sum(self._unclaimed[other] for other in self._related.get(pool, frozenset({pool})))


def _related(groups: list[frozenset[str]]) -> dict[str, frozenset[str]]:
    """Each pool to all pools it shares a runner with, over any number of steps."""
    joined: list[frozenset[str]] = []
    for group in groups:
        apart = [other for other in joined if not other & group]
        touching = [other for other in joined if other & group]
        joined = [*apart, frozenset(chain(group, *touching))]
    return {pool: group for group in joined for pool in group}
