"""Whom to wake when the server is back: it has forgotten what it was asked, and bells rang that nobody heard."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Reconnects:
    """Of one connection."""

    def __init__(self) -> None:
        self._waiting: set[Callable[[], object]] = set()

    async def tell(self) -> None:
        """The connection is a new one."""
        for wake in list(self._waiting):
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call `wake` at each return within the block."""
        self._waiting.add(wake)
        try:
            yield
        finally:
            self._waiting.discard(wake)
