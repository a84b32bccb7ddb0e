"""Writing lines before they have ended: each byte of the script once, on the stream it came from.

Where both streams end on one terminal, what follows an unfinished line of the other stream begins a line of its own.
"""

from typing import NamedTuple

from fastflow_cli.following import Line, Partial


class Piece(NamedTuple):
    """Bytes to be written."""

    stream: str
    data: bytes


class Unfinished:
    """What was written of the lines that have not ended; pure, it says what to write next."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._shown: dict[str, int] = {}
        """Bytes of a stream's unfinished line that were written."""
        self._holed: set[str] = set()
        """Streams with an unfinished line of which something in the middle was not."""
        self._behind: str | None = None
        """Stream of the unfinished line behind which the cursor stands."""

    def part(self, part: Partial) -> list[Piece]:
        """What to write of a line that goes on."""
        shown, data = self._shown.get(part.stream, 0), part.raw()
        if part.offset > shown:
            # A file gets the bytes in their order, a person the newest.
            if not self._terminal:
                return []
            self._holed.add(part.stream)
        else:
            data = data[shown - part.offset :]
        if not data:
            return []
        self._shown[part.stream] = max(shown, part.offset + len(part.raw()))
        return self._write(part.stream, data)

    def line(self, line: Line) -> list[Piece]:
        """What to write of a line that has ended."""
        shown, data = self._shown.pop(line.stream, 0), line.raw()
        rest = data[shown:]
        if line.stream in self._holed:
            self._holed.discard(line.stream)
            rest = b"\r" + data
        elif rest == b"\n" and self._terminal and self._behind != line.stream:
            return []  # its line was ended for what the other stream said
        return self._write(line.stream, rest)

    def settled(self) -> list[Piece]:
        """What to write before words of our own."""
        behind, self._behind = self._behind, None
        return [Piece(behind, b"\n")] if behind and self._terminal else []

    def _write(self, stream: str, data: bytes) -> list[Piece]:
        before = self.settled() if self._behind != stream else []
        self._behind = None if data.endswith(b"\n") else stream
        return [*before, Piece(stream, data)] if data else before
