"""Opening what was sealed for the runs; pure. No message here holds anything of a value."""

from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from fastflow_events import sealing
from fastflow_events.errors import SettingsError
from fastflow_events.message import Statement
from fastflow_events.sealed_faults import NotSealed, NulValue
from fastflow_events.sealing import NotOpenedError, Purpose
from msgspec import Struct

from fastflow_runner.core.shortfalls import KeyGone, NoOldKey, OtherOldKey

_TOKEN_START = "gAAAA"


class Keys(Struct, frozen=True, kw_only=True):
    """What this runner can open values with."""

    private: dict[str, bytes]
    """Private keys by their ids, the one in use last."""
    legacy: bytes | None = None
    """The Fernet key of an older installation."""

    def __repr__(self) -> str:
        return f"Keys({', '.join(self.private)})"


class Opened(Struct, frozen=True, kw_only=True):
    """The sealed part of a run's environment."""

    values: dict[str, str] = {}
    left_out: dict[str, Statement] = {}
    """Names of the variables that cannot be had here, and why."""

    def __repr__(self) -> str:
        return f"Opened({', '.join([*self.values, *self.left_out])})"


def legacy_key(text: str) -> bytes:
    """Check the key of an older installation.

    Raises:
        SettingsError: Fernet has no such keys.
    """
    key = text.strip().encode()
    try:
        Fernet(key)
    except ValueError:
        raise SettingsError("the encryption key is not 32 bytes of URL-safe base64") from None
    return key


def open_text(keys: Keys, purpose: Purpose, text: str) -> str:
    """Open one value.

    Raises:
        NotOpenedError: this runner cannot, or must not.
    """
    if text.startswith(sealing.PREFIX):
        sealed = sealing.parse(text)
        private_key = keys.private.get(sealed.key_id)
        if private_key is None:
            raise NotOpenedError(KeyGone(sealed.key_id))
        value = sealing.unseal(private_key, purpose, sealed.box)
    elif text.startswith(_TOKEN_START) and purpose[0] == "pipeline":
        value = _open_token(keys.legacy, text)
    else:
        raise NotOpenedError(NotSealed(sealing.PREFIX))
    if "\0" in value:
        raise NotOpenedError(NulValue())
    return value


def open_all(keys: Keys, texts: Mapping[str, tuple[Purpose, str]]) -> Opened:
    """Open what can be opened; the rest is left out with its reason."""
    values: dict[str, str] = {}
    left_out: dict[str, Statement] = {}
    for name, (purpose, text) in texts.items():
        try:
            values[name] = open_text(keys, purpose, text)
        except NotOpenedError as exc:
            left_out[name] = exc.statement
    return Opened(values=values, left_out=left_out)


def _open_token(legacy: bytes | None, text: str) -> str:
    if legacy is None:
        raise NotOpenedError(NoOldKey())
    try:
        return Fernet(legacy).decrypt(text).decode()
    except (InvalidToken, UnicodeDecodeError):
        raise NotOpenedError(OtherOldKey()) from None
