"""Time zones that mean the same on every host: those of the package `tzdata`, and no file of the host's own.

A host's `localtime` or `posixrules` is whatever somebody put there, `right/UTC` counts leap seconds, `Factory` means
that nobody has said anything yet.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_NOBODYS = frozenset({"Factory"})


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name there is."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split()) - _NOBODYS


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of this name, as the package has it.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is none.
    """
    if name not in zone_names():
        raise ZoneInfoNotFoundError(f"no time zone {name[:100]!r}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def transition(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant after `low` and not after `high`, UTC, at which the zone's clock is changed."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle <= low:
            break
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == offset else (low, middle)
    return high
