"""Figures that several statistics share. Pure."""

from collections.abc import Mapping, Sequence
from math import ceil

THOUSAND = 1000


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest of these values, which are in order, that at least this share of them does not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def seconds(ms: float | None) -> float | None:
    """Milliseconds as seconds."""
    return None if ms is None else ms / THOUSAND


def success_rate(counts: Mapping[str, int]) -> float | None:
    """Share of the runs that succeeded or failed which succeeded; cancelled and rejected ones count neither way.

    None where there is none.
    """
    succeeded, failed = counts.get("succeeded", 0), counts.get("failed", 0)
    return succeeded / (succeeded + failed) if succeeded + failed else None
