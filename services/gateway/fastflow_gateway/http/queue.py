"""`/api/queue`, and what steers the runs in it; `/api/runs/{id}/why`."""

from typing import Annotated

from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.recorded import Cause
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import queue_control, waiting_for
from fastflow_gateway.handlers.queue import WaitingRun
from fastflow_gateway.handlers.why import Why, why
from fastflow_gateway.http.raises import raises

Priority = Annotated[int, QueryParameter(ge=-1000, le=1000)]


class WaitingPage(Struct, frozen=True, kw_only=True):
    """The queue, first to start first."""

    items: list[WaitingRun]
    next: str | None = None


class Purged(Struct, frozen=True, kw_only=True):
    """What was taken out of the queue."""

    cancelled: int
    """How many runs."""


class QueueController(Controller):
    """See what waits, and why; move it; hold everything."""

    path = "/api"
    tags = ("queue",)

    @get("/queue", opt=raises())
    async def list(self, then: NamedDependency[Deps]) -> WaitingPage:
        """Every run that waits for a place, with what it waits for."""
        return WaitingPage(items=await waiting_for.everybody(then))

    @post("/queue/purge", status_code=200, opt=raises(NotFoundError, ConcurrencyError))
    async def purge(
        self,
        *,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        pipeline: FromQuery[str | None] = None,
        why: FromQuery[str] = "",
    ) -> Purged:
        """Cancel every run in the queue, or those of one pipeline; what has started goes on."""
        return Purged(cancelled=await queue_control.purge(deps, pipeline, who=who, why=why[:500], cause=cause))

    @get("/runs/{run_id:str}/why", opt=raises(NotFoundError))
    async def why(self, run_id: FromPath[str], deps: NamedDependency[Deps]) -> Why:
        """The chain of causes from the trigger to now; while it waits, what for."""
        return await why(deps, run_id)

    @post("/runs/{run_id:str}/prioritise", status_code=204, opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def prioritise(
        self,
        *,
        run_id: FromPath[str],
        priority: Priority,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> None:
        """Move the run in the queue; higher goes first."""
        await queue_control.prioritise(deps.log, run_id, priority, who=who, cause=cause)

    @post("/runs/{run_id:str}/hurry", status_code=204, opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def hurry(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> None:
        """Do not wait for the retry's instant."""
        await queue_control.hurry(deps.log, run_id, who=who, cause=cause)

    @post("/pause", status_code=204, opt=raises(ConcurrencyError))
    async def pause(
        self,
        *,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        why: FromQuery[str] = "",
    ) -> None:
        """Start nothing new anywhere; what runs goes on."""
        await queue_control.pause_everything(deps, paused=True, who=who, why=why[:500], cause=cause)

    @post("/resume", status_code=204, opt=raises(ConcurrencyError))
    async def resume(
        self, *, deps: NamedDependency[Deps], cause: NamedDependency[Cause], who: NamedDependency[str]
    ) -> None:
        """Go on."""
        await queue_control.pause_everything(deps, paused=False, who=who, why="", cause=cause)

    @post("/pipelines/{name:str}/pause", status_code=204, opt=raises(NotFoundError, ConcurrencyError))
    async def pause_pipeline(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        why: FromQuery[str] = "",
    ) -> None:
        """Let the pipeline's runs wait and its schedules rest."""
        await queue_control.pause_pipeline(deps, name, paused=True, who=who, why=why[:500], cause=cause)

    @post("/pipelines/{name:str}/resume", status_code=204, opt=raises(NotFoundError, ConcurrencyError))
    async def resume_pipeline(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> None:
        """Let them go on."""
        await queue_control.pause_pipeline(deps, name, paused=False, who=who, cause=cause)
