"""How rows hold instants: text that sorts, RFC 3339, UTC, with `Z`."""

from datetime import datetime


def text_of(at: datetime) -> str:
    """Return an aware UTC instant as `2030-01-31T12:00:00.123456Z`; always six digits, so text order is time order."""
    return at.isoformat(timespec="microseconds")[:26] + "Z"
