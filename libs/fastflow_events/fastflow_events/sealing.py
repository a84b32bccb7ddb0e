r"""Values that only a runner can open: X25519 sealed boxes in one line of text.

```
sealed:v1:<id of the key>:<base64 of the box>        what lies in facts and in pipeline.json
["secret","API_KEY","3",12]\n<12 bytes of the value>\0\0…   what lies in the box
```
What a value was sealed for stands inside the box, so a text that is copied to another place opens nothing. The box is
padded, so that its length says little about the value's.
"""

import base64
import json
import re
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from fastflow_events.errors import ContractError
from fastflow_events.message import Statement
from fastflow_events.sealed_faults import (
    Damaged,
    EmptyValue,
    ForSomethingElse,
    LongValue,
    NotBase64,
    NotOurs,
    NotSealed,
    NoUnicode,
    NulValue,
)

Purpose: TypeAlias = tuple[str, ...]
"""What a value is sealed for; `for_secret`, `for_variable` and `for_repository` make one."""

PREFIX = "sealed:v1:"
MAX_VALUE_BYTES = 16_384
KEY_BYTES = 32
_PAD_BYTES = 64
_TEXT = re.compile(r"sealed:v1:([0-9a-f]{16}):([A-Za-z0-9+/]{4,65536}={0,2})")


class NotOpenedError(ContractError):
    """A sealed value cannot be opened; the message says why and holds nothing of the value."""

    code = "not-opened"


class SealedText(NamedTuple):
    """A sealed value, taken apart."""

    key_id: str
    box: bytes


def for_secret(name: str, version: int) -> Purpose:
    """The purpose of one version of a secret."""
    return ("secret", name, str(version))


def for_variable(pipeline: str, variable: str) -> Purpose:
    """The purpose of a variable in the `encrypted_env` of a pipeline or of one of its schedules."""
    return ("pipeline", pipeline, variable)


def for_repository(name: str, address: str) -> Purpose:
    """The purpose of a repository's token: it opens this address and what lies below, `https://git.example:443/team`."""
    return ("repository", name, "token", address)


def key_id(public_key: bytes) -> str:
    """Name of a key pair: 16 hex digits of its public key's hash."""
    return sha256(public_key).hexdigest()[:16]


def public_key_of(private_key: bytes) -> bytes:
    """The public half, 32 bytes."""
    return bytes(PrivateKey(private_key).public_key)


def new_private_key() -> bytes:
    """A private key, 32 bytes from the system's randomness."""
    return bytes(PrivateKey.generate())


def why_not_sealable(value: str) -> Statement | None:
    """Why `value` cannot be an environment variable of a run, or None."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return NoUnicode()
    if not value:
        return EmptyValue()
    if size > MAX_VALUE_BYTES:
        return LongValue(size, MAX_VALUE_BYTES)
    return NulValue() if "\0" in value else None


def seal(public_key: bytes, purpose: Purpose, value: str) -> str:
    """Seal a value; only who holds the private key can open it, and only for `purpose`.

    Raises:
        ContractError: the value cannot be an environment variable, or the key is no key.
    """
    if why := why_not_sealable(value):
        raise ContractError(why)
    if len(public_key) != KEY_BYTES:
        raise ContractError("not a public key")
    content = value.encode()
    plain = json.dumps([*purpose, len(content)]).encode() + b"\n" + content
    plain += bytes(-len(plain) % _PAD_BYTES)
    try:
        box = SealedBox(PublicKey(public_key)).encrypt(plain)
    except CryptoError:
        # What was to be sealed must not become the context of an error.
        raise ContractError("not a public key") from None
    return f"{PREFIX}{key_id(public_key)}:{base64.b64encode(box).decode()}"


def parse(text: str) -> SealedText:
    """Take a sealed text apart.

    Raises:
        NotOpenedError: it is none.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise NotOpenedError(NotSealed(PREFIX))
    try:
        return SealedText(match[1], base64.b64decode(match[2], validate=True))
    except ValueError:
        raise NotOpenedError(NotBase64()) from None


def unseal(private_key: bytes, purpose: Purpose, box: bytes) -> str:
    """Open a box that was sealed for `purpose`.

    Raises:
        NotOpenedError: it was sealed for another key or another purpose, or is damaged.
    """
    try:
        plain = SealedBox(PrivateKey(private_key)).decrypt(box)
    except (CryptoError, ValueError, TypeError):
        raise NotOpenedError(Damaged()) from None
    head, _, rest = plain.partition(b"\n")
    try:
        *bound, size = json.loads(head)
        value = rest[:size].decode()
    except (ValueError, TypeError):
        raise NotOpenedError(NotOurs()) from None
    if bound != list(purpose):
        raise NotOpenedError(ForSomethingElse())
    return value
