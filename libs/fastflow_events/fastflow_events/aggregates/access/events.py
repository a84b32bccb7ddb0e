"""The facts of access. People are random ids here: their names and addresses are kept where they can be deleted."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from fastflow_events.aggregates.access.grants import Grant
from fastflow_events.fact import Fact, wire

MAX_GRANTS = 200
TokenKind: TypeAlias = Literal["first_admin", "recovery", "service"]
"""For whoever comes first; for whoever locked everybody out, and has the machine; for programs."""
Scope: TypeAlias = Literal["read", "trigger", "operate", "admin", "metrics"]
"""What a token is for; it narrows what its grants allow, and never widens it."""
TokenName: TypeAlias = Annotated[
    str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$(?!\n)", description="Name of a token; not of a person.")
]
TokenHash: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="HMAC-SHA-256 under a key that only gateways have.")
]
Grants: TypeAlias = Annotated[tuple[Grant, ...], Meta(min_length=1, max_length=MAX_GRANTS)]


@wire("access.token_created.v1")
class AccessTokenCreated(Fact, frozen=True, kw_only=True):
    """Whoever shows this token may come in; the token itself is known to nobody but him."""

    kind: TokenKind
    name: TokenName
    hash: TokenHash
    grants: Grants
    scopes: tuple[Scope, ...] = ()
    """Empty for all that the grants allow."""
    expires_at: datetime | None = None
    """None for never."""
    by: str


@wire("access.token_revoked.v1")
class AccessTokenRevoked(Fact, frozen=True, kw_only=True):
    """Nobody comes in with it any more."""

    by: str
