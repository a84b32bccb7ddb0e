"""Instants and spans as people type them; pure."""

import re
from datetime import UTC, datetime, time

from fastflow_cli.errors import UsageError

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def moment(option: str, text: str, *, end_of_day: bool = False) -> datetime:
    """An ISO 8601 instant, UTC where it names no offset; a bare date means its first or its last microsecond.

    Raises:
        UsageError: it is neither.
    """
    bare = text.strip()
    try:
        parsed = datetime.fromisoformat(bare)
        if end_of_day and _DATE.fullmatch(bare):
            parsed = datetime.combine(parsed.date(), time.max)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} takes a date or an instant, not {text!r}", fix=f"… {option} 2026-01-31T08:00:00Z"
        ) from None


def seconds(option: str, text: str) -> float:
    """A span: `90`, `90s`, `15m`, `1.5h`, `1d`, `2w`.

    Raises:
        UsageError: it is none.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(f"{option} takes a span such as 90s, 15m, 1.5h or 1d, not {text!r}", fix=f"… {option} 15m")
    return float(found[1]) * _SECONDS[found[2]]


def wire(at: datetime | None) -> str | None:
    """The instant as the gateway reads it."""
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
