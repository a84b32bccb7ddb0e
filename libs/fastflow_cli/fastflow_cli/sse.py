"""Server-sent events, as the HTML standard cuts them: pure, fed line by line."""

from collections.abc import Iterable, Iterator

from msgspec import Struct


class Event(Struct, frozen=True):
    """One event of a stream."""

    id: str
    """The last id seen so far; sent back as `Last-Event-ID`."""
    name: str
    data: str


class Cutter:
    """Lines go in, complete events come out."""

    def __init__(self) -> None:
        self.last_id = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, line: str) -> Event | None:
        """Take one line without its end; an empty one completes an event that has data."""
        if not line:
            return self._complete()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "id":
                self.last_id = value
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case _:
                pass  # comments, `retry` and fields of newer standards
        return None

    def _complete(self) -> Event | None:
        data, name = self._data, self._name
        self._data, self._name = [], ""
        return Event(self.last_id, name or "message", "\n".join(data)) if data else None


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Every complete event of some lines."""
    cutter = Cutter()
    for line in lines:
        if (event := cutter.feed(line)) is not None:
            yield event
