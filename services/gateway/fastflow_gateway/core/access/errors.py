"""Why somebody does not come in, or may not do what he asks for."""

from fastflow_events.errors import ContractError, DomainError
from fastflow_events.message import Statement


class TokenMissing(Statement, frozen=True, tag="access.token_missing"):
    """Nobody said who asks."""

    english = "who asks? Send a token: Authorization: Bearer ffs_…"


class TokenUnknown(Statement, frozen=True, tag="access.token_unknown"):
    """Which of these it is helps only whoever guesses."""

    english = "this token is not known here, has run out, or was revoked"


class TokenMistyped(Statement, frozen=True, tag="access.token_mistyped"):
    """Its checksum says so."""

    english = "this is no token: it is mistyped or cut off"


class RoleTooLow(Statement, frozen=True, tag="access.role_too_low"):
    """Of a person or a program."""

    english = "this needs the role {needed}; yours is {yours}"
    needed: str
    yours: str


class TokenTooNarrow(Statement, frozen=True, tag="access.token_too_narrow"):
    """Its role would do."""

    english = "this token may only be used for: {scopes}"
    scopes: tuple[str, ...]


class TokenInAddress(Statement, frozen=True, tag="access.token_in_address"):
    """Addresses are written down everywhere."""

    english = "a token must never be part of an address, which is written down everywhere; this one is revoked now"


class LoginOff(Statement, frozen=True, tag="access.login_off"):
    """Of this gateway."""

    english = "nobody has to log in here, so a token is good for nothing; start with FASTFLOW_LOGIN=on"


class LoginOffError(DomainError):
    """Tokens are not in use here."""

    code = "login-off"


class SignInNeededError(DomainError):
    """Nobody is signed in."""

    code = "sign-in-needed"


class NotAllowedError(DomainError):
    """Whoever asks may not do this."""

    code = "not-allowed"


class TokenInAddressError(ContractError):
    """A token stands in the address."""

    code = "token-in-address"
