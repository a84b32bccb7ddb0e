"""Reading a spool file that may still grow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from fastflow_runner.entry.leaving import head
from fastflow_runner.entry.records import GAP, NoRecordError, decode_spool
from fastflow_runner.ports import Frame

_READ_BYTES = 1 << 20
_PIECE_BYTES = 65_536
_FAST_S, _SLOW_S = 0.01, 0.2


async def follow_spool(path: Path, *, skip: int, is_over: Callable[[], bool]) -> AsyncIterator[Frame]:
    """Frames from `skip` on, until the file's end has been read after `is_over` said so."""
    pause = _FAST_S
    index = offset = 0
    records = _Records()
    while True:
        # Asked before reading: what was written before the end is then read for certain.
        over = is_over()
        data = head(str(path), _READ_BYTES, offset) or b""
        offset += len(data)
        ending = over and not data
        for stream, nanoseconds, content in records.rest() if ending else records.feed(data):
            if index >= skip:
                yield Frame(
                    index=index,
                    stream="stdout" if stream & ~GAP == 1 else "stderr",
                    at=datetime.fromtimestamp(nanoseconds / 1e9, UTC),
                    data=b"" if stream & GAP else content,
                    gap_bytes=int(content) if stream & GAP else 0,
                )
            index += 1
        if ending:
            return
        if data:
            pause = _FAST_S
        else:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOW_S)


class _Records:
    """Takes a spool apart; from what is no record on it is plain output, in the same pieces however it is read."""

    def __init__(self) -> None:
        self._held = b""
        self._torn = False
        self._at = 0

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Stream, nanoseconds and bytes of what is complete now."""
        self._held += data
        found: list[tuple[int, int, bytes]] = []
        if not self._torn:
            try:
                found, used = decode_spool(self._held)
            except NoRecordError as error:
                self._torn, (found, used) = True, error.args
            self._held = self._held[used:]
            self._at = found[-1][1] if found else self._at
        while self._torn and len(self._held) >= _PIECE_BYTES:
            found.append((1, self._at, self._held[:_PIECE_BYTES]))
            self._held = self._held[_PIECE_BYTES:]
        return found

    def rest(self) -> list[tuple[int, int, bytes]]:
        """The same once nothing follows; a record that was never completed is none."""
        return [(1, self._at, self._held)] if self._torn and self._held else []
