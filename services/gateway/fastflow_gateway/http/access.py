"""The guard of every route: whoever asks is told apart here, and nowhere else."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from fastflow_gateway.core.access.needs import NEEDS
from fastflow_gateway.core.access.permissions import OPEN
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.admission import Admission, check, principal, refuse_in_address

AnyConnection = ASGIConnection[Any, Any, Any, Any]


async def admit(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Let whoever asks do what he asks for, or refuse.

    Raises:
        SignInNeededError: nobody is signed in, or with a token that is not valid.
        NotAllowedError: whoever is may not do this.
        TokenInAddressError: the address holds a token.
    """
    state = connection.app.state
    admission: Admission = state.admission
    deps: Deps = state.deps
    if query := connection.scope["query_string"]:
        await refuse_in_address(admission, deps, query)
    need = NEEDS.get(f"{_method(connection)} {connection.scope['path_template']}", OPEN)
    if need is OPEN:
        connection.state.principal = None
        return
    who = await principal(admission, deps, connection.headers.get("authorization", ""))
    check(who, need)
    connection.state.principal = who


def _method(connection: AnyConnection) -> str:
    """A head is what a whole answer begins with, and needs the same."""
    method = str(connection.scope["method"])  # type: ignore[typeddict-item]
    return "GET" if method == "HEAD" else method
