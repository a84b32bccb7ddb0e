"""How frames look on the live stream: lines in batches, changes put together. Pure."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import msgspec

from fastflow_gateway.core.lines import Gap
from fastflow_gateway.core.live.frames import Frame, Place, id_of

LINES = 500
LINES_BYTES = 1 << 18
"""One event has no more lines, and no more bytes of them but for a line that is longer."""


class Segment(NamedTuple):
    """One event without its id."""

    place: Place | None
    """How far it brings its reader; None for what is provisional."""
    body: bytes


Show: TypeAlias = Callable[[Sequence[Frame]], list[Segment]]


def event(name: str, data: bytes) -> bytes:
    """The wire form."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def show_lines(frames: Sequence[Frame]) -> list[Segment]:
    """Neighbouring lines as one event `lines`, in the form of pages; gaps and parts each by itself."""
    shown: list[Segment] = []
    held: list[bytes] = []
    place, size = None, 0

    def flush() -> None:
        if held:
            shown.append(Segment(place, event("lines", b"[%s]" % b",".join(held))))
            held.clear()

    for frame in frames:
        if frame.event == "line" and frame.place is not None:
            if held and (len(held) == LINES or size + frame.size > LINES_BYTES):
                flush()
            size = size + frame.size if held else frame.size
            held.append(_named(frame.place) + b"," + frame.data[1:])
            place = frame.place
            continue
        flush()
        if frame.event == "gap" and frame.place is not None:
            gap = msgspec.json.decode(frame.data, type=Gap)
            missing = b'"n":%d,"missing_frames":%d,"missing_bytes":%d' % (gap.after, gap.frames, gap.bytes)
            shown.append(Segment(frame.place, event("gap", _named(frame.place) + b"," + missing + b"}")))
        elif frame.event == "reset":
            shown.append(_reset("lines"))
        elif frame.event != "end":
            shown.append(Segment(None, event(frame.event, frame.data)))
    flush()
    return shown


def _named(place: Place) -> bytes:
    return b'{"id":"%s","attempt":%d' % (id_of(place), place[0])


def show_each(name: str, frames: Sequence[Frame]) -> list[Segment]:
    """Each frame as an event; the end of a run is told once for all that is told of it."""
    return [
        _reset(name) if frame.event == "reset" else Segment(frame.place, event(frame.event, frame.data))
        for frame in frames
        if frame.event != "end"
    ]


show_samples: Show = partial(show_each, "samples")
show_cells: Show = partial(show_each, "cells")


def show_changes(frames: Sequence[Frame], pipelines: frozenset[str] = frozenset()) -> list[Segment]:
    """What facts have changed, facts that came together in one event; of these pipelines only, if any are named."""
    shown: list[Segment] = []
    held: list[Frame] = []
    for frame in frames:
        if frame.event == "reset":
            shown.append(_reset("changes"))
        elif frame.event == "seen":
            shown += _changed(held, frame.place)
            held = []
        elif not pipelines or frame.event not in ("run", "pipeline") or frame.about[0] in pipelines:
            held.append(frame)
    return [*shown, *_changed(held, held[-1].place if held else None)]


def _changed(frames: Sequence[Frame], place: Place | None) -> Iterator[Segment]:
    if not frames or place is None:
        return
    others: dict[str, list[bytes]] = {}
    for frame in frames:
        if frame.event not in ("run", "pipeline"):
            others.setdefault(frame.event, []).append(frame.data)
    data = b'{"seq":%d,"runs":[%s],"pipelines":[%s],"others":{%s}}' % (
        place[0],
        b",".join(frame.data for frame in frames if frame.event == "run"),
        b",".join(frame.data for frame in frames if frame.event == "pipeline"),
        b",".join(b'"%s":[%s]' % (kind.encode(), b",".join(ids)) for kind, ids in others.items()),
    )
    yield Segment(place, event("changed", data))


def _reset(what: str) -> Segment:
    return Segment(None, event("reset", b'{"of":"%s"}' % what.encode()))
