"""Which other runners have fallen silent for good; pure, fed with what was heard and when.

Silence counts only while we could have heard: whoever was cut off, or did not listen for a while, begins to count anew.
So a bus that was away for a minute makes nobody's attempts ours.
"""

from collections.abc import Collection

from fastflow_rules.liveness import Hearing

ATTENTION_S = 12.0
"""Listening less often than this is not listening."""


class Silence:
    """Since when each runner has been silent."""

    def __init__(self, gone_after_s: float) -> None:
        self._gone_after_s = gone_after_s
        self._hearing = Hearing(ATTENTION_S)
        self._since: dict[str, float] = {}

    def deaf(self) -> None:
        """Nothing could be heard."""
        self._hearing.deaf()

    def heard(self, expected: Collection[str], alive: Collection[str], now: float) -> set[str]:
        """Take in who is `alive` of those `expected`, at a moment of a steady clock; returns those who are gone."""
        hearing_since = self._hearing.listened(now)
        silent = {runner: self._since.get(runner, now) for runner in expected if runner not in alive}
        self._since = {runner: max(since, hearing_since) for runner, since in silent.items()}
        return {runner for runner, since in self._since.items() if now - since >= self._gone_after_s}
