"""Where a page of runs ended: opaque text that fits the question it was given for. Pure."""

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import NoCursor
from fastflow_gateway.core.run_faults import CursorOfOtherFilter
from fastflow_gateway.core.run_filter import RunFilter

LAST_POSITION = 2**63 - 1
VERSION = "1"


def cursor_after(n: int, wanted: RunFilter, order: str) -> str:
    """The cursor that goes on after the run at a position."""
    return f"{VERSION}.{n}.{_hash(wanted, order)}"


def position_after(cursor: str | None, wanted: RunFilter, order: str) -> int | None:
    """The position to go on after; None without a cursor.

    Raises:
        InvalidParameterError: it is no cursor of ours, or was given for another question.
    """
    if cursor is None:
        return None
    version, _, rest = cursor.partition(".")
    n, _, given = rest.partition(".")
    if version != VERSION or not (n.isascii() and n.isdigit() and len(n) < 20 and int(n) <= LAST_POSITION):
        raise InvalidParameterError(NoCursor(), parameter="cursor", cursor=cursor[:40])
    if given != _hash(wanted, order):
        raise InvalidParameterError(CursorOfOtherFilter(), parameter="cursor", cursor=cursor[:40])
    return int(n)


def _hash(wanted: RunFilter, order: str) -> str:
    return wanted.fingerprint if order == "newest" else f"{wanted.fingerprint}-{order}"
