"""`/api/runs/{id}/rerun`, and `/retry`, as it was called before."""

from fastflow_events.errors import NotFoundError
from fastflow_events.ids import run_id_of_http
from fastflow_events.recorded import Cause
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, RawBody

from fastflow_gateway.core.errors import (
    InvalidFieldError,
    InvalidParamsError,
    KeyReusedError,
    LogFullError,
    NotRunnableError,
    RunNotOverError,
)
from fastflow_gateway.core.rerun_request import RerunBody, read_changes
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import runs
from fastflow_gateway.handlers.rerun import rerun
from fastflow_gateway.handlers.runs import Accepted
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.pipelines import IdempotencyKey
from fastflow_gateway.http.raises import raises

AGAIN = raises(
    NotFoundError,
    RunNotOverError,
    NotRunnableError,
    KeyReusedError,
    InvalidParamsError,
    InvalidFieldError,
    LogFullError,
)


class RerunController(Controller):
    """Run what has run once more."""

    path = "/api/runs/{run_id:str}"
    tags = ("runs",)

    @post(
        "/rerun",
        status_code=202,
        opt=AGAIN,
        operation_class=operation_with(RerunBody, example={"params": {"day": "2026-03-01"}, "unset": ["DRY_RUN"]}),
    )
    async def rerun(
        self,
        *,
        run_id: FromPath[str],
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        key: IdempotencyKey = None,
    ) -> Response[Accepted]:
        """Run it once more: a new run with the same params, variables and run configuration, at the head's code.

        What the body names is different, what it does not name is kept, values that are shown nowhere too. With
        `same_commit` at the code that it ran. With an `Idempotency-Key` asking twice is asking once.
        """
        return await _again(deps, run_id, read_changes(body), key=key, who=who, cause=cause)

    @post("/retry", status_code=202, opt=AGAIN)
    async def retry(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        same_commit: FromQuery[bool] = False,
        key: IdempotencyKey = None,
    ) -> Response[Accepted]:
        """The same without a body; `rerun` says more."""
        return await _again(deps, run_id, RerunBody(same_commit=same_commit), key=key, who=who, cause=cause)


async def _again(
    deps: Deps, run_id: str, changes: RerunBody, *, key: str | None, who: str, cause: Cause
) -> Response[Accepted]:
    accepted = await rerun(
        deps,
        run_id,
        changes,
        new_id=runs.fresh_run_id(deps) if key is None else run_id_of_http(who, run_id, key),
        who=who,
        cause=cause,
        repeated=key is not None,
    )
    return Response(accepted, headers={"Location": f"/api/runs/{accepted.id}"})
