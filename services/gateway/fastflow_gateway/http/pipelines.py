"""`/api/pipelines`."""

from typing import Annotated

from fastflow_events.aggregates.run.events import Trigger
from fastflow_events.errors import NotFoundError
from fastflow_events.ids import run_id_of_http
from fastflow_events.recorded import Cause
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, RawBody

from fastflow_gateway.core.errors import InvalidParamsError, KeyReusedError, LogFullError, NotRunnableError
from fastflow_gateway.core.responses.pipelines import PipelineResponse, show_pipeline
from fastflow_gateway.core.run_request import RunBody, read_run_options
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import pipelines, runs
from fastflow_gateway.handlers.folder_pages import pages_of
from fastflow_gateway.handlers.runs import Accepted
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.raises import raises

IdempotencyKey = Annotated[str | None, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200)]


class PipelineController(Controller):
    """Look at pipelines, and run them."""

    path = "/api/pipelines"
    tags = ("pipelines",)

    @get("/{name:str}", opt=raises(NotFoundError))
    async def show(self, name: FromPath[str], then: NamedDependency[Deps]) -> PipelineResponse:
        """One pipeline."""
        row = await pipelines.find_pipeline(then, name)
        pages = await pages_of(then.rows)
        return show_pipeline(row, untrusted=then.log.doubts.reason("pipeline", row.name), web_url=pages(row))

    @post(
        "/{name:str}/run",
        status_code=202,
        operation_class=operation_with(RunBody, example={"params": {"day": "2026-01-31"}, "env": {"LEVEL": "debug"}}),
        opt=raises(NotFoundError, NotRunnableError, KeyReusedError, InvalidParamsError, LogFullError),
    )
    async def run(
        self,
        *,
        name: FromPath[str],
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        key: IdempotencyKey = None,
    ) -> Response[Accepted]:
        """Ask for a run. With an `Idempotency-Key` asking twice is asking once, for ever."""
        accepted = await runs.request_run(
            deps,
            name,
            read_run_options(body),
            run_id=runs.fresh_run_id(deps) if key is None else run_id_of_http(who, name, key),
            trigger=Trigger(kind="http", who=who),
            cause=cause,
            repeated=key is not None,
        )
        return Response(accepted, headers={"Location": f"/api/runs/{accepted.id}"})
