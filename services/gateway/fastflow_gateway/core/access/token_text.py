"""How a token looks: its kind, 190 bits of chance, and a checksum.

`ffs_` + 32 characters + 6 characters of CRC-32 over all before them, both in base 62. A mistyped or truncated token is
refused before anything is looked up, and whoever scans for leaked ones can be sure of what he found.
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable

from fastflow_events.aggregates.access.events import TokenKind

PATTERN = re.compile(rb"ff[as]_[0-9A-Za-z]{38}")
_WHOLE = re.compile(r"ff[as]_[0-9A-Za-z]{38}")
_PREFIX: dict[TokenKind, str] = {"first_admin": "ffa_", "recovery": "ffa_", "service": "ffs_"}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHANCE, _CHECK = 32, 6
_RANDOM_BYTES = 32
"""More than the characters hold, so that each of them is as likely as any other."""


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _check(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK)


def mint(kind: TokenKind, random_bytes: Callable[[int], bytes]) -> str:
    """A token that nobody has seen."""
    text = _PREFIX[kind] + _base62(int.from_bytes(random_bytes(_RANDOM_BYTES)), _CHANCE)
    return text + _check(text)


def is_token(text: str) -> bool:
    """Whether it can have been made here."""
    return _WHOLE.fullmatch(text) is not None and hmac.compare_digest(text[-_CHECK:], _check(text[:-_CHECK]))


def hash_of(access_key: bytes, text: str) -> str:
    """What is stored of a token: worth nothing to whoever reads the log and has not the key, which only gateways have.

    Source: RFC 5869 for the key of this purpose, RFC 2104 for the hash.
    """
    drawn = hmac.digest(bytes(32), access_key, hashlib.sha256)
    key = hmac.digest(drawn, b"fastflow token\x01", hashlib.sha256)
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()
