"""`?at=`: the state after a fact, for every route that says so; the header `Fastflow-Seq` names the position."""

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import Message, Scope

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.moments import position_in
from fastflow_gateway.core.run_faults import NoMoment
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import moments
from fastflow_gateway.http.cursors import instant_of
from fastflow_gateway.http.problems import AnyRequest

At = Annotated[
    str | None,
    QueryParameter(
        description="A position of the log or an RFC 3339 instant: the state after that fact, or the last one by then."
    ),
]
_KEY = "fastflow_seq"
HEADER = b"fastflow-seq"


async def provide_then(request: AnyRequest, deps: NamedDependency[Deps], at: At = None) -> Deps:
    """Everything as of the moment that the request names; as it is now when it names none."""
    if at is None:
        return deps
    moment = position_in(at)
    if moment is None:
        try:
            instant = instant_of("at", at)
        except InvalidParameterError as exc:
            raise InvalidParameterError(NoMoment(), parameter="at", given=at[:40]) from exc
        assert instant is not None  # it was given
        then, seq = await moments.then(deps, instant)
    else:
        then, seq = await moments.then(deps, moment)
    request.scope["state"][_KEY] = seq
    return then


async def name_position(message: Message, scope: Scope) -> None:
    """Say in the answer which position it stands for, when it stands for one."""
    seq = scope.get("state", {}).get(_KEY)
    if seq is not None and message["type"] == "http.response.start":
        message["headers"] = [*message["headers"], (HEADER, str(seq).encode())]
