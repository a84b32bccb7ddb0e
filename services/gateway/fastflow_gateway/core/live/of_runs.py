"""What is told of one run, as frames."""

from collections.abc import Iterable

import msgspec

from fastflow_gateway.core.lines import Entry, Line
from fastflow_gateway.core.live.frames import Frame
from fastflow_gateway.core.responses.runs import error_of
from fastflow_gateway.core.unfinished_lines import Part
from fastflow_gateway.core.views.runs import RunRow

_json = msgspec.json.Encoder()


def frames_of_lines(entries: Iterable[Entry]) -> list[Frame]:
    """Lines and gaps."""
    return [Frame(place, "line" if type(found) is Line else "gap", _json.encode(found)) for place, found in entries]


def frames_of_parts(parts: Iterable[Part]) -> list[Frame]:
    """Lines that have not ended: what is told of them has no place, so that whoever comes back is told again."""
    return [Frame(None, "partial", _json.encode(part)) for part in parts]


def frame_of_end(row: RunRow) -> Frame:
    """The run is over and everything was told; do not come back."""
    data = {"outcome": row.outcome or row.status, "status": row.status, "reason": row.reason, "error": error_of(row)}
    return Frame(None, "end", _json.encode(data))
