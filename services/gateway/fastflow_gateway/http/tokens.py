"""`/api/me` and `/api/tokens`."""

from fastflow_events.aggregates.access.events import Scope, TokenKind
from fastflow_events.aggregates.access.grants import Grant, Role
from fastflow_events.errors import ConcurrencyError, NotFoundError
from fastflow_events.recorded import Cause
from litestar import Controller, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from msgspec import Struct

from fastflow_gateway.core.access.errors import LoginOff, LoginOffError
from fastflow_gateway.core.access.permissions import ACTIONS, allowed
from fastflow_gateway.core.access.principal import Principal
from fastflow_gateway.core.bodies import read_json
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.tokens import TokenRow, TokenStatus, grants_of, scopes_of, status_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import tokens
from fastflow_gateway.handlers.admission import Admission
from fastflow_gateway.handlers.tokens import TokenBody, TokenMade
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.raises import raises


class Me(Struct, frozen=True, kw_only=True):
    """Whoever asks."""

    who: str
    """As facts name him: `local` while nobody has to log in, else `token:ID`."""
    role: Role | None
    scopes: tuple[Scope, ...]
    """What his token is narrowed to; empty for all that the role may."""
    can: list[str]
    """`look`, `inspect`, `start`, `operate`, `administer`, `measure`."""


class TokenResponse(Struct, frozen=True, kw_only=True):
    """One token, without itself."""

    id: str
    kind: TokenKind
    name: str
    status: TokenStatus
    grants: tuple[Grant, ...]
    scopes: tuple[Scope, ...]
    created_at: InstantText
    created_by: str
    expires_at: InstantText | None
    revoked_by: str
    """Empty while nobody has."""
    seq: int


class TokenList(Struct, frozen=True, kw_only=True):
    """Tokens, newest first."""

    items: list[TokenResponse]
    next: str | None = None


class TokenRevoked(Struct, frozen=True, kw_only=True):
    """Nobody comes in with it any more."""

    id: str
    seq: int
    """Stream position of the newest fact about the token."""


@get("/api/me", tags=["access"], opt=raises())
async def me(principal: NamedDependency[Principal]) -> Me:
    """Who asks, and what he may do."""
    can = [name for name, need in ACTIONS.items() if allowed(principal, need)]
    return Me(who=principal.who, role=principal.role, scopes=principal.scopes, can=can)


class TokenController(Controller):
    """Let programs in."""

    path = "/api/tokens"
    tags = ("access",)

    @get(opt=raises())
    async def list(self, deps: NamedDependency[Deps]) -> TokenList:
        """Every token that ever was, and whether somebody comes in with it; none can be seen again."""
        now = text_of(deps.clock())
        return TokenList(items=[_show(row, now) for row in await deps.rows.tokens()])

    @post(
        status_code=201,
        operation_class=operation_with(TokenBody, example={"name": "erp", "scopes": ["trigger"], "days": 30}),
        opt=raises(LoginOffError),
    )
    async def make(
        self,
        *,
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        state: State,
    ) -> Response[TokenMade]:
        """Make a token for a program; it is in this answer, and never again anywhere."""
        wanted = read_json(body, TokenBody)
        made = await tokens.make_token(deps, _key(state.admission), wanted, by=who, cause=cause)
        return Response(made, headers={"Location": f"/api/tokens/{made.id}"})

    @delete("/{id:str}", status_code=200, opt=raises(NotFoundError, ConcurrencyError))
    async def revoke(
        self,
        *,
        id: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> TokenRevoked:
        """Let nobody in with it any more; revoking twice is revoking once."""
        return TokenRevoked(id=id, seq=await tokens.revoke_token(deps.log, id, by=who, cause=cause))


def _key(admission: Admission) -> bytes:
    """The key of tokens.

    Raises:
        LoginOffError: nobody has to log in, so a token would be good for nothing.
    """
    if admission.key is None:
        raise LoginOffError(LoginOff())
    return admission.key


def _show(row: TokenRow, now: str) -> TokenResponse:
    return TokenResponse(
        id=row.id,
        kind=row.kind,
        name=row.name,
        status=status_of(row, now),
        grants=grants_of(row),
        scopes=scopes_of(row),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_by=row.revoked_by,
        seq=row.seq,
    )
