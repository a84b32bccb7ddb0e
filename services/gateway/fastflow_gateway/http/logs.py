"""`/api/runs/{id}/logs`: pages and the live stream."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastflow_events.errors import NotFoundError
from fastflow_events.output import StreamName
from litestar import Controller, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from fastflow_gateway.core.errors import TooManyStreamsError
from fastflow_gateway.core.lines import START, Entry, Gap, LogPosition, cut, position_of
from fastflow_gateway.core.log_levels import Level, level_of
from fastflow_gateway.core.unfinished_lines import Part
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import logs, runs
from fastflow_gateway.handlers.line_tails import LineSource
from fastflow_gateway.handlers.log_levels import page_of_level
from fastflow_gateway.http import sse
from fastflow_gateway.http.problems import AnyRequest
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.streams import visit_of

LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]
Limit = Annotated[int, QueryParameter(ge=1, le=10_000)]
From = Annotated[str | None, QueryParameter(name="from")]
MaxLine = Annotated[int | None, QueryParameter(ge=1, le=4_194_304)]
Tail = Annotated[int | None, QueryParameter(ge=1, le=100_000)]


class LineResponse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of output, or a gap in it."""

    id: str
    """`<attempt>.<line>`; of a gap `<attempt>.<line>.<gap>`, counting those right behind the line."""
    attempt: int
    n: int
    stream: StreamName | None = None
    at: datetime | None = None
    text: str | None = None
    b64: str | None = None
    unterminated: bool = False
    level: Level | None = None
    """How serious the line says that it is; null when it says nothing of the kind."""
    cut_bytes: int = 0
    """Of the line, behind what is shown of it: more than `max_line` characters were not wanted."""
    missing_frames: int = 0
    missing_bytes: int = 0


class LinePage(Struct, frozen=True, kw_only=True):
    """Lines, oldest first."""

    items: list[LineResponse]
    next: str | None
    """Give it as `cursor` to go on; null when there are no more now."""
    unfinished: list[Part]
    """Lines that have not ended yet, at most one per stream; they are no items, and a page with `next` has none."""


class LogController(Controller):
    """What runs wrote."""

    path = "/api/runs/{run_id:str}/logs"
    tags = ("logs",)

    @get(opt=raises(NotFoundError))
    async def page(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        cursor: FromQuery[str | None] = None,
        from_: From = None,
        limit: Limit = 1000,
        tail: Tail = None,
        max_line: MaxLine = None,
        level: FromQuery[Level | None] = None,
    ) -> LinePage:
        """The last `tail` lines, those after `cursor`, or from line `from` on (`<line>` or `<attempt>.<line>`).

        With `level` only lines that are at least so serious (a page may be short of them and still have a `next`);
        of each line at most `max_line` characters.
        """
        if level is not None and tail is None:
            place = await logs.position_before(deps, run_id, from_) if from_ and cursor is None else _place(cursor)
            serious = await page_of_level(deps, run_id, place, limit, level)
            items = [_shown(entry, max_line) for entry in serious.entries]
            return LinePage(items=items, next=str(serious.next) if serious.next else None, unfinished=[])
        if tail is not None:
            found = await logs.tail_of_log(deps, run_id, tail)
        elif cursor is None and from_ is not None:
            found = await logs.page_of_log(deps, run_id, await logs.position_before(deps, run_id, from_), limit)
        else:
            found = await logs.page_of_log(deps, run_id, _place(cursor), limit)
        following = str(found.entries[-1][0]) if found.more else None
        return LinePage(
            items=[_shown(entry, max_line) for entry in found.entries], next=following, unfinished=[*found.unfinished]
        )

    @get("/stream", media_type="text/event-stream", opt=raises(NotFoundError, TooManyStreamsError))
    async def stream(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        request: AnyRequest,
        state: State,
        last_event_id: LastEventId = None,
        cursor: FromQuery[str | None] = None,
    ) -> Stream:
        """Every line after `Last-Event-ID` (or `cursor`), then each as it comes; the event `end` is the last.

        The event `partial` tells what an unfinished line says meanwhile; it has no id, and the whole line comes later.
        """
        place = _place(last_event_id or cursor)
        row = await runs.find_run(deps, run_id)
        read = partial(deps.tails.reading, ("lines", run_id), partial(LineSource, deps, run_id), place)
        return sse.stream_of(sse.follow(visit_of(request, state, row.pipeline), read))


def _place(text: str | None) -> LogPosition:
    return START if text is None else position_of(text)


def _shown(entry: Entry, max_line: int | None) -> LineResponse:
    place, found = entry
    if isinstance(found, Gap):
        return LineResponse(
            id=str(place), attempt=place.attempt, n=place.n, missing_frames=found.frames, missing_bytes=found.bytes
        )
    text, b64, cut_bytes = cut(found, max_line)
    return LineResponse(
        id=str(place),
        attempt=place.attempt,
        n=place.n,
        stream=found.stream,
        at=found.at,
        text=text,
        b64=b64,
        unterminated=found.unterminated,
        level=level_of(found.text),
        cut_bytes=cut_bytes,
    )
