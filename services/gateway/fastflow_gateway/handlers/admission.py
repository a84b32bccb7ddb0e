"""Who comes in: a token to whoever shows it."""

from fastflow_events.aggregates.access.commands import RevokeToken
from fastflow_events.aggregates.access.decider import token_decider
from fastflow_events.errors import InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.recorded import Cause
from msgspec import Struct

from fastflow_gateway.core.access.errors import (
    NotAllowedError,
    RoleTooLow,
    SignInNeededError,
    TokenInAddress,
    TokenInAddressError,
    TokenMissing,
    TokenMistyped,
    TokenTooNarrow,
    TokenUnknown,
)
from fastflow_gateway.core.access.permissions import Need, allowed
from fastflow_gateway.core.access.principal import LOCAL, Principal
from fastflow_gateway.core.access.token_text import PATTERN, hash_of, is_token
from fastflow_gateway.core.refusals import ModelBehind
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.tokens import TokenRow, principal_of, status_of
from fastflow_gateway.deps import Deps

BEARER = "Bearer "


class Admission(Struct, frozen=True, kw_only=True):
    """What is needed to tell who asks."""

    key: bytes | None
    """Under which tokens are stored; None while nobody has to log in."""
    known_from: int
    """Rows that are older may let in somebody whose token was revoked meanwhile."""


async def principal(admission: Admission, deps: Deps, authorization: str) -> Principal | None:
    """Whoever shows this `Authorization`; None for nobody.

    Raises:
        SignInNeededError: it is no token, or one that is not valid.
        InfrastructureError: it is not known yet which tokens are.
    """
    if admission.key is None:
        return LOCAL
    if not authorization:
        return None
    scheme, text = authorization[: len(BEARER)], authorization[len(BEARER) :].strip()
    if scheme.lower() != BEARER.lower() or not is_token(text):
        raise SignInNeededError(TokenMistyped())
    row = await _row(admission, admission.key, deps, text)
    if row is None or status_of(row, text_of(deps.clock())) != "valid":
        raise SignInNeededError(TokenUnknown())
    return principal_of(row)


def check(who: Principal | None, need: Need) -> None:
    """Refuse who may not.

    Raises:
        SignInNeededError: nobody is signed in.
        NotAllowedError: whoever is may not.
    """
    if allowed(who, need):
        return
    if who is None:
        raise SignInNeededError(TokenMissing())
    if need.role is not None and allowed(Principal(who=who.who, grants=who.grants), need):
        raise NotAllowedError(TokenTooNarrow(who.scopes))
    raise NotAllowedError(RoleTooLow(need.role or "viewer", who.role or "none"))


async def refuse_in_address(admission: Admission, deps: Deps, query: bytes) -> None:
    """Revoke a token that stands in the address, where every proxy writes it down.

    Raises:
        TokenInAddressError: there is one.
    """
    for found in PATTERN.findall(query):
        text = found.decode()
        if not is_token(text):
            continue
        if admission.key is not None and (row := await _row(admission, admission.key, deps, text)) is not None:
            cause = Cause(correlation_id=deps.random_bytes(16).hex())
            await execute(deps.log, token_decider, row.id, RevokeToken(by=f"token:{row.id}"), cause=cause)
        raise TokenInAddressError(TokenInAddress())


async def _row(admission: Admission, key: bytes, deps: Deps, text: str) -> TokenRow | None:
    if deps.changes.seq < admission.known_from:
        raise InfrastructureError(ModelBehind())
    return await deps.rows.token_of(hash_of(key, text))
