"""`/api/runs/{id}/changes`: what differs since a pipeline last worked."""

from typing import Annotated

from fastflow_events.errors import NotFoundError
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from fastflow_gateway.core.responses.changes import ChangesResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.changes import LAST_SUCCESS, changes_of_run
from fastflow_gateway.http.raises import raises

With = Annotated[
    str,
    QueryParameter(
        name="with",
        min_length=1,
        max_length=64,
        description="The id of another run; without it, or `last_success`, the last success before this run.",
    ),
]


class ChangesController(Controller):
    """Compare runs."""

    path = "/api/runs/{run_id:str}/changes"
    tags = ("runs",)

    @get(opt=raises(NotFoundError))
    async def changes(
        self, run_id: FromPath[str], deps: NamedDependency[Deps], with_: With = LAST_SUCCESS
    ) -> ChangesResponse:
        """What differs between a run and the last success before it, or any other run of its pipeline.

        Code file by file, packages, params, variables (never their values), versions of secrets, what it ran on, what
        it took, and where the outputs begin to differ.
        """
        return await changes_of_run(deps, run_id, with_)
