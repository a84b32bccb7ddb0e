"""`/api/runners`."""

from litestar import Controller, get
from litestar.di import NamedDependency
from msgspec import Struct

from fastflow_gateway.core.responses.runners import RunnerResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.runners import list_runners
from fastflow_gateway.http.raises import raises


class RunnerList(Struct, frozen=True, kw_only=True):
    """Runners by name."""

    items: list[RunnerResponse]
    next: str | None = None


class RunnerController(Controller):
    """Who executes runs."""

    path = "/api/runners"
    tags = ("runners",)

    @get(opt=raises())
    async def list(self, deps: NamedDependency[Deps]) -> RunnerList:
        """Every runner that is alive, and every silent one that still has runs in hand."""
        return RunnerList(items=await list_runners(deps))
