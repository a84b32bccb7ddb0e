"""`/api/live`: everything that a page follows, over one connection."""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import Annotated, Literal

import msgspec
from fastflow_events.errors import NotFoundError
from litestar import get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from fastflow_gateway.core.errors import InvalidParameterError, TooManyStreamsError
from fastflow_gateway.core.faults import LiveOfRun
from fastflow_gateway.core.lines import START, position_of
from fastflow_gateway.core.live.frames import Place
from fastflow_gateway.core.live.of_live import show_cells, show_changes, show_lines, show_samples
from fastflow_gateway.core.live.of_runs import frame_of_end
from fastflow_gateway.core.live.position import LivePosition, live_position_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.cell_tails import CellSource
from fastflow_gateway.handlers.change_tails import ChangeSource
from fastflow_gateway.handlers.line_tails import LineSource
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.sample_tails import SampleSource
from fastflow_gateway.http import cursors, sse
from fastflow_gateway.http.live_stream import CHANGES, Wanted, live
from fastflow_gateway.http.problems import AnyRequest
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.streams import visit_of

Changes = Annotated[
    Literal["", "1", "true", "0", "false"] | None,
    QueryParameter(description="What facts change in the rows; it is meant where no run is named."),
]
Pipelines = Annotated[
    Sequence[str] | None, QueryParameter(description="Changes of runs and pipelines only of these; may be repeated.")
]
Lines = Annotated[
    str | None, QueryParameter(description="Lines of the run after this one, `<attempt>.<line>`; `0.0` is all.")
]
Samples = Annotated[str | None, QueryParameter(description="Samples of the run after this position; `0` is all.")]
After = Annotated[
    str | None,
    QueryParameter(description="Go on behind the id of an event, whatever `lines` and `samples` say."),
]
LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]


@get("/api/live", media_type="text/event-stream", tags=["live"], opt=raises(NotFoundError, TooManyStreamsError))
async def follow_live(
    *,
    deps: NamedDependency[Deps],
    request: AnyRequest,
    state: State,
    changes: Changes = None,
    pipeline: Pipelines = None,
    run: FromQuery[str | None] = None,
    lines: Lines = None,
    samples: Samples = None,
    after: After = None,
    last_event_id: LastEventId = None,
) -> Stream:
    """Everything that a page follows, over one connection. Each event is JSON.

    - `hello {build, seq, now}`: the first one; rows hold all facts up to `seq`.
    - `changed {seq, runs, pipelines, others}`: rows that facts up to `seq` have changed, after they are committed: runs
      as in lists, names of pipelines, and by kind the ids of everything else.
    - `lines [{id, attempt, n, stream, at, text}]`: as in pages, at once after a silence, else every 200 ms.
    - `partial {n, stream, at, text, offset}`: what a line that has not ended says, at most four times a second; no id.
    - `gap {id, attempt, n, missing_frames, missing_bytes}`: output is missing behind a line.
    - `sample`, `cell`: as in lists of samples and of cells.
    - `end {run, outcome, status, reason, error}`: the run is over, and everything else of it was told.
    - `reset {of}`: the place in `changes`, `lines`, `samples` or `cells` is none of ours, or not any more: read it
      again; changes go on from now, everything else comes from its beginning.

    The id of an event is a place in everything that is followed; as `Last-Event-ID`, or `after`, it goes on behind it.
    """
    if run is None and (lines is not None or samples is not None):
        raise InvalidParameterError(LiveOfRun(), parameter="lines" if lines is not None else "samples")
    given = last_event_id or after
    position = live_position_of(given) if given else LivePosition()
    row = await find_run(deps, run) if run is not None else None
    visit = visit_of(request, state, row.pipeline if row else None)
    wanted = [] if run is None else _of_run(deps, run, position, lines, samples)
    if run is None or changes in ("", "1", "true"):
        wanted.insert(0, _of_changes(deps, position, frozenset(pipeline or ())))

    def hello() -> bytes:
        known = {"build": version("fastflow-gateway"), "seq": deps.changes.seq, "now": deps.clock()}
        return msgspec.json.encode(known)

    async def end() -> bytes:
        assert run is not None
        return b'{"run":%s,' % msgspec.json.encode(run) + frame_of_end(await find_run(deps, run)).data[1:]

    return sse.stream_of(live(visit, wanted, hello, end))


def _of_changes(deps: Deps, position: LivePosition, pipelines: frozenset[str]) -> Wanted:
    place = position.changes or (deps.changes.seq,)
    read = partial(deps.tails.reading, CHANGES, partial(ChangeSource, deps), place)
    show = partial(show_changes, pipelines=pipelines) if pipelines else show_changes
    return Wanted(CHANGES, place, show, read, shared=not pipelines)


def _of_run(deps: Deps, run: str, position: LivePosition, lines: str | None, samples: str | None) -> list[Wanted]:
    wanted = []
    if lines is not None:
        place: Place = position.lines or (position_of(lines) if lines else START)
        read = partial(deps.tails.reading, ("lines", run), partial(LineSource, deps, run), place)
        wanted.append(Wanted("lines", place, show_lines, read))
    if samples is not None:
        place = position.samples or (cursors.position_of(samples or "0") or 0,)
        read = partial(deps.tails.reading, ("samples", run), partial(SampleSource, deps, run, place), place)
        wanted.append(Wanted("samples", place, show_samples, read))
    place = position.cells or (0,)
    read = partial(deps.tails.reading, ("cells", run), partial(CellSource, deps, run), place)
    return [*wanted, Wanted("cells", place, show_cells, read)]
