"""`/api/runs/{id}/cells`: the code cells of a run's notebook, and what they gave."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastflow_events.errors import NotFoundError
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct

from fastflow_gateway.core.notebook_outputs import NotebookUnreadableError, OutputResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.cells import CellResponse, cells_of_run
from fastflow_gateway.handlers.notebook_outputs import NoSuchOutput, output_at, outputs_of_cell
from fastflow_gateway.http.framed import FRAMED
from fastflow_gateway.http.raises import raises

Attempt = Annotated[int | None, QueryParameter(ge=1, le=999_999_999)]
MediaType = Literal[
    "text/html", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "application/json", "text/markdown",
    "text/latex", "text/plain",
]  # fmt: skip


class CellList(Struct, frozen=True, kw_only=True):
    """Code cells of a notebook; of a script there are none."""

    items: list[CellResponse]
    next: str | None = None


class OutputList(Struct, frozen=True, kw_only=True):
    """What a cell gave, in its order."""

    items: list[OutputResponse]
    next: str | None = None


class CellController(Controller):
    """Look at notebooks."""

    path = "/api/runs/{run_id:str}/cells"
    tags = ("runs",)

    @get(opt=raises(NotFoundError))
    async def list(self, run_id: FromPath[str], deps: NamedDependency[Deps]) -> CellList:
        """How the cells of its notebook ended, when, why, and which lines of output are theirs."""
        return CellList(items=await cells_of_run(deps, run_id))

    @get("/{cell:int}/outputs", opt=raises(NotFoundError, NotebookUnreadableError))
    async def outputs(
        self, run_id: FromPath[str], cell: FromPath[int], deps: NamedDependency[Deps], attempt: Attempt = None
    ) -> OutputList:
        """What a cell gave, as the executed notebook has it."""
        found = await outputs_of_cell(deps.log, deps.artifacts, run_id, cell, attempt)
        base = f"/api/runs/{quote(run_id, safe='')}/cells/{cell}/outputs"
        suffix = f"?attempt={attempt}" if attempt else ""
        return OutputList(
            items=[
                OutputResponse(k=k, kind=output.kind, types=output.types, url=f"{base}/{k}{suffix}")
                for k, output in enumerate(found, 1)
            ]
        )

    @get(
        "/{cell:int}/outputs/{k:int}",
        media_type="application/octet-stream",
        opt=raises(NotFoundError, NotebookUnreadableError),
    )
    async def output(
        self,
        *,
        run_id: FromPath[str],
        cell: FromPath[int],
        k: FromPath[int],
        deps: NamedDependency[Deps],
        attempt: Attempt = None,
        type: FromQuery[MediaType | None] = None,
    ) -> Response[bytes]:
        """One output in its richest type or the one named, for a frame that can do nothing else."""
        outputs = await outputs_of_cell(deps.log, deps.artifacts, run_id, cell, attempt)
        output = output_at(outputs, k)
        if not output.types or type not in (None, *output.types):
            raise NotFoundError(NoSuchOutput())
        chosen = type or output.types[0]
        return Response(output.as_bytes(chosen), media_type=chosen, headers=FRAMED)
