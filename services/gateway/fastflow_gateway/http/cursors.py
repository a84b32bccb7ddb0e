"""Cursors of pages and streams that are stream positions."""

from fastflow_gateway.errors import InvalidParameterError


def position_of(text: str | None) -> int | None:
    """The position; None where nobody named one.

    Raises:
        InvalidParameterError: it is no cursor of ours.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidParameterError("not a cursor of ours", cursor=text[:40])
    return int(text)
