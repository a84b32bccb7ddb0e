"""Answers of several messages, all over one subscription of a connection: one for each costs a fifth more."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg

Take = Callable[[Msg], Awaitable[None]]


class Replies:
    """Of one connection; nats-py subscribes again when it is a new one."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._inbox = ""
        self._asked = 0
        self._takers: dict[str, Take] = {}

    async def listen(self) -> None:
        """Be ready for answers; safe to repeat, and at the same time.

        Raises:
            nats.errors.Error: the connection is closed.
        """
        if not self._inbox:
            inbox = self._nc.new_inbox()
            await self._nc.subscribe(f"{inbox}.*", cb=self._take, pending_msgs_limit=0, pending_bytes_limit=0)
            self._inbox = inbox

    @contextmanager
    def taking(self, take: Take) -> Iterator[str]:
        """Call `take` with every message that comes to the yielded subject within the block; later ones are dropped."""
        self._asked += 1
        subject = f"{self._inbox}.{self._asked}"
        self._takers[subject] = take
        try:
            yield subject
        finally:
            del self._takers[subject]

    async def _take(self, msg: Msg) -> None:
        take = self._takers.get(msg.subject)
        if take is not None:
            await take(msg)
