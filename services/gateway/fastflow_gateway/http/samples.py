"""`/api/runs/{id}/metrics`: what runs used, in pages and live."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastflow_events.errors import NotFoundError
from litestar import Controller, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import artifacts, runs
from fastflow_gateway.handlers.writers import Writers
from fastflow_gateway.http import sse
from fastflow_gateway.http.cursors import position_of
from fastflow_gateway.http.raises import raises
from fastflow_gateway.ports import StoredSample

LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]
Limit = Annotated[int, QueryParameter(ge=1, le=10_000)]


class SampleResponse(Struct, frozen=True, kw_only=True):
    """What an attempt used at one moment; null where nobody knows."""

    attempt: int
    at: datetime
    cpus: float
    """Processors in use since the sample before."""
    memory_bytes: int
    """Working set, without the page cache."""
    received_bytes: int | None
    """Over the network, since the attempt began; so are the following."""
    sent_bytes: int | None
    read_bytes: int | None
    """From disks."""
    written_bytes: int | None


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
        cursor: FromQuery[str | None] = None,
        limit: Limit = 1000,
    ) -> SamplePage:
        """Samples, about one a second for as long as an attempt ran; one that was over in no time has none."""
        limits = await artifacts.limits_of_run(deps.log, run_id)
        found = await deps.samples.read(run_id, after_seq=position_of(cursor) or 0, limit=limit + 1)
        following = str(found[limit - 1].seq) if len(found) > limit else None
        shown = (
            None
            if limits is None
            else LimitsResponse(
                memory_bytes=limits.memory_bytes,
                cpus=limits.cpus,
                disk_bytes=limits.disk_bytes,
                soft_memory_bytes=limits.soft_memory_bytes,
                soft_cpus=limits.soft_cpus,
            )
        )
        theirs = await Writers(deps.log, run_id).only(found[:limit])
        return SamplePage(items=[_show(stored) for stored in theirs], next=following, limits=shown)

    @get("/stream", media_type="text/event-stream", opt=raises(NotFoundError))
    async def stream(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        state: State,
        last_event_id: LastEventId = None,
        cursor: FromQuery[str | None] = None,
    ) -> Stream:
        """Every sample after `Last-Event-ID` (or `cursor`), then each as it comes; the event `end` is the last."""
        position = position_of(last_event_id or cursor) or 0
        await runs.find_run(deps, run_id)
        news = artifacts.follow_samples(deps, run_id, position)
        return sse.stream(sse.until_end(news, _pieces, state.keep_alive_s))


def _pieces(samples: list[StoredSample]) -> bytes:
    return b"".join(
        b"id: %d\nevent: sample\ndata: %s\n\n" % (stored.seq, msgspec.json.encode(_show(stored))) for stored in samples
    )


def _show(stored: StoredSample) -> SampleResponse:
    sample = stored.sample
    return SampleResponse(
        attempt=stored.attempt,
        at=sample.at,
        cpus=sample.cpus,
        memory_bytes=sample.memory_bytes,
        received_bytes=sample.received_bytes,
        sent_bytes=sample.sent_bytes,
        read_bytes=sample.read_bytes,
        written_bytes=sample.written_bytes,
    )
