"""Reading a spool file that may still grow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from fastflow_runner.entry.records import GAP, decode_spool
from fastflow_runner.ports import Frame

_READ_BYTES = 1 << 20
_FAST_S, _SLOW_S = 0.01, 0.2


async def follow_spool(path: Path, *, skip: int, is_over: Callable[[], bool]) -> AsyncIterator[Frame]:
    """Frames from `skip` on, until the file's end has been read after `is_over` said so."""
    pause = _FAST_S
    index = offset = 0
    held = b""
    while True:
        # Asked before reading: what was written before the end is then read for certain.
        over = is_over()
        data = _read(path, offset)
        offset += len(data)
        records, used = decode_spool(held + data)
        held = (held + data)[used:]
        for stream, nanoseconds, content in records:
            if index >= skip:
                yield Frame(
                    index=index,
                    stream="stdout" if stream & ~GAP == 1 else "stderr",
                    at=datetime.fromtimestamp(nanoseconds / 1e9, UTC),
                    data=b"" if stream & GAP else content,
                    gap_bytes=int(content) if stream & GAP else 0,
                )
            index += 1
        if data:
            pause = _FAST_S
        elif over:
            return
        else:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOW_S)


def _read(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(_READ_BYTES)
    except FileNotFoundError:
        return b""
