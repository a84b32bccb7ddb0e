"""Length-prefixed, hashed messages over a pipe: complete and intact, or not there at all.

```text
FFSEAL1, line feed | length, 8 bytes big endian | SHA-256 of the payload, 32 bytes | payload
```
"""

import os
from hashlib import sha256

MAGIC = b"FFSEAL1\n"
HEAD_BYTES = len(MAGIC) + 8 + 32
MAX_BYTES = 2 << 30


class UnsealedError(Exception):
    """The message ended early or is not what its sender wrote."""


def seal(payload: bytes) -> bytes:
    """Message around `payload`."""
    return MAGIC + len(payload).to_bytes(8, "big") + sha256(payload).digest() + payload


def read_sealed(fd: int, limit: int = MAX_BYTES) -> bytes:
    """Payload of the next message on `fd`; nothing behind it is consumed.

    Raises:
        UnsealedError: the sender closed early, sent more than `limit` bytes, or the hash differs.
    """
    head = _read(fd, HEAD_BYTES)
    length = int.from_bytes(head[len(MAGIC) : len(MAGIC) + 8], "big")
    if not head.startswith(MAGIC) or length > limit:
        raise UnsealedError("not a sealed message")
    payload = _read(fd, length)
    if sha256(payload).digest() != head[-32:]:
        raise UnsealedError("the hash of the message differs")
    return payload


def _read(fd: int, length: int) -> bytes:
    parts = []
    while length:
        part = os.read(fd, min(length, 1 << 20))
        if not part:
            raise UnsealedError("standard input ended early")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
