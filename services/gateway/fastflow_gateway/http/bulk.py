"""`/api/runs/bulk`."""

from fastflow_events.errors import ConcurrencyError
from fastflow_events.ids import run_id_of_http
from fastflow_events.recorded import Cause
from litestar import post
from litestar.di import NamedDependency
from litestar.params import RawBody

from fastflow_gateway.core.bulk_request import BulkBody, read_bulk
from fastflow_gateway.core.errors import LogFullError
from fastflow_gateway.core.responses.bulk import BulkResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.bulk import act
from fastflow_gateway.handlers.runs import fresh_run_id
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.pipelines import IdempotencyKey
from fastflow_gateway.http.raises import raises


@post(
    "/api/runs/bulk",
    tags=["runs"],
    status_code=200,
    opt=raises(ConcurrencyError, LogFullError),
    operation_class=operation_with(
        BulkBody, example={"action": "cancel", "ids": ["0196f0a0"], "dry_run": True}, exactly_one=("ids", "filter")
    ),
)
async def act_on_runs(
    *,
    body: RawBody,
    deps: NamedDependency[Deps],
    cause: NamedDependency[Cause],
    who: NamedDependency[str],
    key: IdempotencyKey = None,
) -> BulkResponse:
    """Cancel, repeat or move many runs; the answer says of each what became of it, with `dry_run` what would.

    Each run is decided by itself: one that is refused does not keep the others. Asking again is safe; repeats are only
    made once with an `Idempotency-Key`.
    """
    return await act(
        deps,
        read_bulk(body),
        new_id=lambda run_id: fresh_run_id(deps) if key is None else run_id_of_http(who, run_id, key),
        repeated=key is not None,
        who=who,
        cause=cause,
    )
