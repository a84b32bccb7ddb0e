"""What an engine says happened to containers, from the moment somebody listens."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from docker import DockerClient
from msgspec import Struct


class Happened(Struct, frozen=True, kw_only=True):
    """One event of one container."""

    what: str
    """The engine's word: `create`, `start`, `rename`, `die` …"""
    container: str
    name: str
    """Without the leading slash; after a `rename` the new one."""
    exit_code: int | None = None
    """Of a `die`."""


class Heard:
    """The events so far, in their order."""

    def __init__(self) -> None:
        self.events: list[Happened] = []

    def times(self, what: str) -> dict[str, int]:
        """How often it happened to each container it happened to."""
        counts: dict[str, int] = {}
        for event in self.events:
            if event.what == what:
                counts[event.container] = counts.get(event.container, 0) + 1
        return counts

    def bore(self, name: str) -> set[str]:
        """Ids of the containers that were called `name` at some time."""
        return {event.container for event in self.events if event.name == name}

    def exit_codes(self, container: str) -> list[int | None]:
        """What the engine said each time it ended."""
        return [event.exit_code for event in self.events if (event.what, event.container) == ("die", container)]


@contextmanager
def listening(engine: str, label: str) -> Iterator[Heard]:
    """Hear what happens to containers with the label on the engine with this socket, until the block ends."""
    heard = Heard()
    client = DockerClient(base_url=f"unix://{engine}", timeout=600)
    stream = client.events(decode=True, filters={"type": "container", "label": label})

    def listen() -> None:
        for event in stream:
            attributes = event["Actor"]["Attributes"]
            code = attributes.get("exitCode")
            heard.events.append(
                Happened(
                    what=event["Action"],
                    container=event["Actor"]["ID"],
                    name=attributes["name"].removeprefix("/"),
                    exit_code=None if code is None else int(code),
                )
            )

    thread = threading.Thread(target=listen, name="engine events", daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        stream.close()
        thread.join(10)
        client.close()
