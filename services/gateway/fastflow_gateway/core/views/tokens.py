"""Table `tokens`: one row per token that ever was; of the token itself only a keyed hash."""

from typing import Literal, TypeAlias

import msgspec
from fastflow_events.aggregates.access.events import AccessTokenCreated, AccessTokenRevoked, Scope, TokenKind
from fastflow_events.aggregates.access.grants import Grant
from fastflow_events.instants import held
from fastflow_events.recorded import Recorded
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.access.principal import Principal
from fastflow_gateway.core.views.instants import text_of

TokenStatus: TypeAlias = Literal["valid", "expired", "revoked"]


class TokenRow(Struct, frozen=True):
    """One token. Instants are RFC 3339 UTC text."""

    id: str
    seq: int
    """Stream position of the fact that changed the row last."""
    kind: TokenKind
    name: str
    hash: str
    grants: str
    """JSON list."""
    scopes: str
    """JSON list."""
    expires_at: str | None
    created_at: str
    created_by: str
    revoked_by: str = ""


def project(row: TokenRow | None, recorded: Recorded) -> TokenRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    fact = recorded.fact
    match fact:
        case AccessTokenCreated():
            return TokenRow(
                id=recorded.id,
                seq=recorded.seq,
                kind=fact.kind,
                name=fact.name,
                hash=fact.hash,
                grants=msgspec.json.encode(fact.grants).decode(),
                scopes=msgspec.json.encode(fact.scopes).decode(),
                expires_at=text_of(held(fact.expires_at)) if fact.expires_at else None,
                created_at=text_of(recorded.at),
                created_by=fact.by,
            )
        case AccessTokenRevoked() if row is not None:
            return replace(row, seq=recorded.seq, revoked_by=fact.by)
        case _:
            return row


def status_of(row: TokenRow, now: str) -> TokenStatus:
    """Whether somebody comes in with it at `now`."""
    if row.revoked_by:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "valid"


def grants_of(row: TokenRow) -> tuple[Grant, ...]:
    """What it grants."""
    return msgspec.json.decode(row.grants, type=tuple[Grant, ...])


def scopes_of(row: TokenRow) -> tuple[Scope, ...]:
    """What it is narrowed to."""
    return msgspec.json.decode(row.scopes, type=tuple[Scope, ...])


def principal_of(row: TokenRow) -> Principal:
    """Whoever shows this token."""
    return Principal(who=f"token:{row.id}", grants=grants_of(row), scopes=scopes_of(row))
