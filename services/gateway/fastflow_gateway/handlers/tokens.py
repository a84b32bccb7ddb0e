"""Tokens: made, shown once, listed without themselves, revoked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastflow_events.aggregates.access.commands import CreateToken, RevokeToken
from fastflow_events.aggregates.access.decider import FIRST, token_decider
from fastflow_events.aggregates.access.events import AccessTokenCreated, Scope, TokenKind, TokenName
from fastflow_events.aggregates.access.grants import Grant, Role
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause
from msgspec import Meta, Struct

from fastflow_gateway.core.access.token_text import hash_of, mint
from fastflow_gateway.deps import Deps

DEFAULT_DAYS, MAX_DAYS = 90, 365
MAX_SCOPES = 5
_ID_BYTES = 10


class TokenBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token for a program."""

    name: TokenName
    role: Role = "operator"
    """What it may do at most, on the whole installation."""
    scopes: Annotated[tuple[Scope, ...], Meta(max_length=MAX_SCOPES)] = ()
    """What it is for: `read`, `trigger`, `operate`, `admin`, `metrics`; empty for all that the role may."""
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] | None = DEFAULT_DAYS
    """How long it is valid; null for ever, which nobody should want."""


class TokenMade(Struct, frozen=True, kw_only=True):
    """A new token. It is shown this once and cannot be seen again."""

    id: str
    token: str
    expires_at: datetime | None
    seq: int
    """Stream position of the fact that it was made."""


async def make_token(deps: Deps, key: bytes, body: TokenBody, *, by: str, cause: Cause) -> TokenMade:
    """Let a program in; the first admin's own token has done its work with the first that may do as much."""
    id = fresh_token_id(deps.random_bytes)
    expires = deps.clock() + timedelta(days=body.days) if body.days is not None else None
    text, created = minted(
        deps.random_bytes, key, "service", body.name, Grant(body.role), scopes=body.scopes, expires_at=expires, by=by
    )
    [recorded] = await execute(deps.log, token_decider, id, CreateToken(token=created, at=deps.clock()), cause=cause)
    if body.role == "admin" and not body.scopes:
        first = token_decider.fold((await deps.log.load("access", FIRST)).facts)
        if first.created is not None:
            await execute(deps.log, token_decider, FIRST, RevokeToken(by=by), cause=cause)
    return TokenMade(id=id, token=text, expires_at=expires, seq=recorded.seq)


def fresh_token_id(random_bytes: Callable[[int], bytes]) -> str:
    """An id that says nothing about anybody."""
    return f"tok_{random_bytes(_ID_BYTES).hex()}"


def minted(
    random_bytes: Callable[[int], bytes],
    key: bytes,
    kind: TokenKind,
    name: str,
    grant: Grant,
    *,
    scopes: tuple[Scope, ...] = (),
    expires_at: datetime | None,
    by: str,
) -> tuple[str, AccessTokenCreated]:
    """A token, and the fact that it is valid, which does not hold it."""
    text = mint(kind, random_bytes)
    return text, AccessTokenCreated(
        kind=kind, name=name, hash=hash_of(key, text), grants=(grant,), scopes=scopes, expires_at=expires_at, by=by
    )


async def revoke_token(log: EventLog, id: str, *, by: str, cause: Cause) -> int:
    """Let nobody in with it any more; returns the position of the newest fact about it.

    Raises:
        NotFoundError: there never was such a token.
    """
    await execute(log, token_decider, id, RevokeToken(by=by), cause=cause)
    history = await log.load("access", id)
    return history.position.seq
