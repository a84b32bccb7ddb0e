"""`/api/runs/{id}/metrics`: what runs used, in pages and live."""

from functools import partial
from typing import Annotated

from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.errors import NotFoundError
from litestar import Controller, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from fastflow_gateway.core.errors import TooManyStreamsError
from fastflow_gateway.core.responses.samples import SampleResponse, show_sample
from fastflow_gateway.core.sample_buckets import BucketResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import artifacts, runs
from fastflow_gateway.handlers.sample_buckets import buckets_of_run
from fastflow_gateway.handlers.sample_tails import SampleSource
from fastflow_gateway.handlers.writers import Writers
from fastflow_gateway.http import sse
from fastflow_gateway.http.cursors import PositionCursor, position_of
from fastflow_gateway.http.problems import AnyRequest
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.streams import visit_of

LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]
Points = Annotated[int | None, QueryParameter(ge=1, le=2000)]
Attempt = Annotated[int | None, QueryParameter(ge=1, le=999_999_999)]
Limit = Annotated[int, QueryParameter(ge=1, le=10_000)]


class LimitsResponse(Struct, frozen=True, kw_only=True):
    """What a run may use; null is no limit."""

    memory_bytes: int | None
    cpus: float | None
    disk_bytes: int | None
    soft_memory_bytes: int | None
    soft_cpus: float | None


class SamplePage(Struct, frozen=True, kw_only=True):
    """Samples, oldest first."""

    items: list[SampleResponse]
    next: str | None
    """Give it as `cursor` to go on; null when there are no more now."""
    limits: LimitsResponse | None
    """Null before the run was dispatched."""
    buckets: list[BucketResponse] | None = None
    """What one attempt used, in few points: only when `points` were asked for, and then there are no items."""


class SampleController(Controller):
    """What runs used."""

    path = "/api/runs/{run_id:str}/metrics"
    tags = ("runs",)

    @get(opt=raises(NotFoundError))
    async def page(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        cursor: PositionCursor = None,
        limit: Limit = 1000,
        points: Points = None,
        attempt: Attempt = None,
    ) -> SamplePage:
        """Samples, about one a second for as long as an attempt ran; one that was over in no time has none.

        With `points` the samples of one attempt, the newest unless another is named, in at most so many `buckets`.
        """
        limits = await artifacts.limits_of_run(deps.log, run_id)
        if points is not None:
            buckets = await buckets_of_run(deps, run_id, attempt, points)
            return SamplePage(items=[], next=None, limits=_limits(limits), buckets=buckets)
        found = await deps.samples.read(run_id, after_seq=position_of(cursor) or 0, limit=limit + 1)
        following = str(found[limit - 1].seq) if len(found) > limit else None
        theirs = await Writers(deps.log, run_id).only(found[:limit])
        return SamplePage(items=[show_sample(stored) for stored in theirs], next=following, limits=_limits(limits))

    @get("/stream", media_type="text/event-stream", opt=raises(NotFoundError, TooManyStreamsError))
    async def stream(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        request: AnyRequest,
        state: State,
        last_event_id: LastEventId = None,
        cursor: PositionCursor = None,
    ) -> Stream:
        """Every sample after `Last-Event-ID` (or `cursor`), then each as it comes; the event `end` is the last."""
        place = (position_of(last_event_id or cursor) or 0,)
        row = await runs.find_run(deps, run_id)
        read = partial(deps.tails.reading, ("samples", run_id), partial(SampleSource, deps, run_id, place), place)
        return sse.stream_of(sse.follow(visit_of(request, state, row.pipeline), read))


def _limits(limits: Limits | None) -> LimitsResponse | None:
    if limits is None:
        return None
    return LimitsResponse(
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        disk_bytes=limits.disk_bytes,
        soft_memory_bytes=limits.soft_memory_bytes,
        soft_cpus=limits.soft_cpus,
    )
