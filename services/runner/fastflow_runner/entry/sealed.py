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
    return head_of(len(payload), sha256(payload).digest()) + payload


def head_of(length: int, digest: bytes) -> bytes:
    """What stands before a payload of `length` bytes with this SHA-256."""
    return MAGIC + length.to_bytes(8, "big") + digest


def read_sealed(fd: int, limit: int = MAX_BYTES) -> bytes:
    """Payload of the next message on `fd`; nothing behind it is consumed.

    Raises:
        UnsealedError: the sender closed early, sent more than `limit` bytes, or the hash differs.
    """
    message = SealedFile(fd, limit)
    payload = message.read()
    message.check()
    return payload


class SealedFile:
    """The payload of the next message on `fd` as a file that is read once, from its beginning to its end."""

    def __init__(self, fd: int, limit: int = MAX_BYTES) -> None:
        """Read what stands before the payload.

        Raises:
            UnsealedError: the sender closed early, or announces more than `limit` bytes.
        """
        head = _read(fd, HEAD_BYTES)
        length = int.from_bytes(head[len(MAGIC) : len(MAGIC) + 8], "big")
        if not head.startswith(MAGIC) or length > limit:
            raise UnsealedError("not a sealed message")
        self._fd, self._left, self._wanted, self._hash = fd, length, head[-32:], sha256()

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all that is left; less at the end only.

        Raises:
            UnsealedError: the sender closed early.
        """
        data = _read(self._fd, self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self._hash.update(data)
        return data

    def check(self) -> None:
        """Read what is left; nothing of what was read may be used before.

        Raises:
            UnsealedError: the sender closed early, or the hash differs.
        """
        while self._left:
            self.read(1 << 20)
        if self._hash.digest() != self._wanted:
            raise UnsealedError("the hash of the message differs")


def _read(fd: int, length: int) -> bytes:
    parts = []
    while length:
        part = os.read(fd, min(length, 1 << 20))
        if not part:
            raise UnsealedError("standard input ended early")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
