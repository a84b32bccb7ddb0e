"""The rules of a token: it is valid from its making until it runs out or is revoked, whichever comes first."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.absent import NoSuchToken
from fastflow_events.aggregates.access.commands import CreateToken, RevokeToken, TokenCommand
from fastflow_events.aggregates.access.events import AccessTokenCreated, AccessTokenRevoked
from fastflow_events.decider import Decider
from fastflow_events.errors import NotFoundError
from fastflow_events.fact import Fact
from fastflow_events.instants import held

FIRST = "first"
"""Id of the token of whoever comes first; there is one, so that of several gateways one makes it."""


class Token(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a token."""

    created: AccessTokenCreated | None = None
    revoked: bool = False


def is_valid(token: Token, at: datetime) -> bool:
    """Whether somebody comes in with it at this instant."""
    if token.created is None or token.revoked:
        return False
    expires = token.created.expires_at
    return expires is None or at < held(expires)


def decide(command: TokenCommand, token: Token) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        NotFoundError: there never was such a token.
    """
    match command:
        case CreateToken(token=created, at=at):
            return [] if is_valid(token, at) else [created]
        case RevokeToken() if token.created is None:
            raise NotFoundError(NoSuchToken())
        case RevokeToken(by=by):
            return [] if token.revoked else [AccessTokenRevoked(by=by)]


def evolve(token: Token, fact: Fact) -> Token:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case AccessTokenCreated():
            return Token(created=fact)
        case AccessTokenRevoked():
            return replace(token, revoked=True)
        case _:
            return token


token_decider: Decider[TokenCommand, Token] = Decider(aggregate="access", initial=Token(), decide=decide, evolve=evolve)
