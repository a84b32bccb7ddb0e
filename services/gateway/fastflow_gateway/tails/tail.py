"""One tail: looks, and hands what it finds to everybody who follows."""

import asyncio
import logging
from collections.abc import Sequence

from fastflow_events.errors import InfrastructureError
from fastflow_events.service.waiting import is_set_within

from fastflow_gateway.core.live.frames import Frame
from fastflow_gateway.core.live.ring import Ring
from fastflow_gateway.tails.reader import Reader
from fastflow_gateway.tails.source import Source

logger = logging.getLogger(__name__)

TAKE_WITHIN_S = 0.05
"""Those who have taken everything so far are waited for so long before more is told: a burst does not outrun them."""


class Tail:
    """The newest of one stream, and who reads it."""

    def __init__(self, source: Source, slots: asyncio.Semaphore) -> None:
        self.source = source
        self.slots = slots
        """Turns of those who catch up alone."""
        self.ring: Ring | None = None
        """None until it is known where to begin."""
        self.over = False
        """True when nothing will ever come."""
        self.failure: InfrastructureError | None = None
        self._readers: set[Reader] = set()
        self._awaited: set[Reader] = set()
        self._taken = asyncio.Event()

    @property
    def readers(self) -> int:
        """How many there are."""
        return len(self._readers)

    async def run(self) -> None:
        """Look until nothing will ever come, or the world fails; whoever comes back then has a new one."""
        bell = asyncio.Event()
        try:
            self.ring = ring = Ring(await self.source.begin())
            for reader in self._readers:
                reader.join_at_floor()
            self._wake()
            async for frames in self.source.news(bell):
                for piece in ring.cut(frames):
                    await self._tell(ring, piece)
            self.over = True
        except InfrastructureError as exc:
            logger.warning("tail interrupted: %s", exc, extra={"action": "tail_interrupted"})
            self.failure = exc
        except Exception as exc:  # those who wait must not wait for ever
            self.failure = InfrastructureError(f"a tail broke: {exc!r}")
            raise
        finally:
            self._wake()

    async def _tell(self, ring: Ring, frames: Sequence[Frame]) -> None:
        self._awaited = {reader for reader in self._readers if reader.has_everything}
        ring.add(frames)
        self._wake()
        self._taken.clear()
        if self._awaited:
            await is_set_within(self._taken, TAKE_WITHIN_S)

    def _wake(self) -> None:
        for reader in self._readers:
            reader.wake()

    def add(self, reader: Reader) -> None:
        """Tell it, too."""
        self._readers.add(reader)

    def remove(self, reader: Reader) -> None:
        """It has gone."""
        self._readers.discard(reader)
        self.took(reader)

    def took(self, reader: Reader) -> None:
        """It has everything that there is."""
        self._awaited.discard(reader)
        if not self._awaited:
            self._taken.set()
