"""Opening what was sealed for the runs; pure. No message here holds anything of a value."""

from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from fastflow_events import sealing
from fastflow_events.errors import SettingsError
from fastflow_events.sealing import NotOpenedError, Purpose
from msgspec import Struct

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
    left_out: dict[str, str] = {}
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
            raise NotOpenedError(f"it was sealed for the key {sealed.key_id}, which this runner does not have")
        value = sealing.unseal(private_key, purpose, sealed.box)
    elif text.startswith(_TOKEN_START) and purpose[0] == "pipeline":
        value = _open_token(keys.legacy, text)
    else:
        raise NotOpenedError(f"it is no sealed text: those begin with {sealing.PREFIX}")
    if "\0" in value:
        raise NotOpenedError("the value holds a NUL character, which no environment variable can")
    return value


def open_all(keys: Keys, texts: Mapping[str, tuple[Purpose, str]]) -> Opened:
    """Open what can be opened; the rest is left out with its reason."""
    values, left_out = {}, {}
    for name, (purpose, text) in texts.items():
        try:
            values[name] = open_text(keys, purpose, text)
        except NotOpenedError as exc:
            left_out[name] = str(exc)
    return Opened(values=values, left_out=left_out)


def _open_token(legacy: bytes | None, text: str) -> str:
    if legacy is None:
        raise NotOpenedError("it is a token of an older installation, and this runner was not given its encryption key")
    try:
        return Fernet(legacy).decrypt(text).decode()
    except (InvalidToken, UnicodeDecodeError):
        raise NotOpenedError("it is a token of an older installation, made with another encryption key") from None
