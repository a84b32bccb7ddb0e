"""Tar archives as they arrive: names and contents of their files in pieces, never a whole file in memory."""

from collections.abc import AsyncGenerator, AsyncIterable

from fastflow_events.errors import InfrastructureError

_BLOCK = 512
_NAME, _SIZE, _KIND = slice(0, 100), slice(124, 136), 156
_FILE = (b"0", b"\0")


async def files_of(pieces: AsyncIterable[bytes]) -> AsyncGenerator[tuple[str, bytes]]:
    """Yield name and next bytes of each regular file; an empty file is one empty piece.

    Names are those of the plain header: enough where whoever made the files gave them short ones. No bytes at all are
    an archive without files; any other one ends with empty blocks, and without them it was cut off.

    Raises:
        InfrastructureError: the archive ends in the middle, or is none.
    """
    held, name, left, padding = bytearray(), "", 0, 0
    wanted, complete = False, True
    async for piece in pieces:
        held += piece
        while held:
            if left:
                part = bytes(held[:left])
                del held[: len(part)]
                left -= len(part)
                if wanted:
                    yield name, part
            elif padding:
                skipped = min(padding, len(held))
                del held[:skipped]
                padding -= skipped
            elif len(held) < _BLOCK:
                break
            else:
                head = bytes(held[:_BLOCK])
                del held[:_BLOCK]
                complete = not any(head)
                if complete:
                    continue
                name, left = head[_NAME].rstrip(b"\0").decode("utf-8", "replace"), _number(head[_SIZE])
                padding = -left % _BLOCK
                wanted = head[_KIND : _KIND + 1] in _FILE
                if wanted and not left:
                    yield name, b""
    if held or left or padding or not complete:
        raise InfrastructureError("the archive of a container ended in the middle")


async def small_file(pieces: AsyncIterable[bytes], most_bytes: int) -> bytes:
    """Content of the file that an archive begins with; empty where it begins with something else, or a larger one.

    No more of the archive is read than that.

    Raises:
        InfrastructureError: the archive ends in the middle.
    """
    held = bytearray()
    async for piece in pieces:
        held += piece
        if len(held) < _BLOCK:
            continue
        digits = bytes(held[_SIZE]).strip(b" \0")
        size = int(digits, 8) if digits and not digits.strip(b"01234567") else most_bytes + 1
        if held[_KIND : _KIND + 1] not in _FILE or size > most_bytes:
            return b""
        if len(held) >= _BLOCK + size:
            return bytes(held[_BLOCK : _BLOCK + size])
    if held:
        raise InfrastructureError("the archive of a container ended in the middle")
    return b""


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # binary, for what is too large for octal digits
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError as error:
        raise InfrastructureError("what a container gave is no archive") from error
