"""What may be asked of access."""

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.access.events import AccessTokenCreated


class CreateToken(Struct, frozen=True, kw_only=True):
    """Let whoever shows it in."""

    token: AccessTokenCreated
    at: datetime
    """Now: one that has run out by then is replaced by the next."""


class RevokeToken(Struct, frozen=True, kw_only=True):
    """Let nobody in with it any more."""

    by: str


TokenCommand: TypeAlias = CreateToken | RevokeToken
