"""`/api/sync/hooks`: Git hosts say that something was pushed."""

from typing import get_args

from fastflow_events.errors import ConcurrencyError, NotFoundError
from fastflow_events.recorded import Cause
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from fastflow_gateway.core.errors import NotGenuineError
from fastflow_gateway.core.faults import NoHooks
from fastflow_gateway.core.push_hooks import HOSTS, Host
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import hooks
from fastflow_gateway.http.problems import AnyRequest
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.repositories import SyncList

MAX_BYTES = 26_000_000
"""GitHub cuts its messages at 25 MB."""


@post(
    "/api/sync/hooks/{host:str}",
    tags=["repositories"],
    status_code=202,
    request_max_body_size=MAX_BYTES,
    opt=raises(NotFoundError, NotGenuineError, ConcurrencyError),
)
async def take_push(
    *,
    host: FromPath[str],
    request: AnyRequest,
    body: RawBody,
    deps: NamedDependency[Deps],
    cause: NamedDependency[Cause],
) -> SyncList:
    """A push of `github`, `gitlab` or `gitea`; signed with a secret of `FASTFLOW_HOOK_SECRETS_FILE`."""
    known: Host | None = next((name for name in get_args(Host) if name == host), None)
    if known is None:
        raise NotFoundError(NoHooks(tuple(HOSTS)), host=host[:40])
    return SyncList(items=await hooks.take_push(deps, known, dict(request.headers), body, cause=cause))
