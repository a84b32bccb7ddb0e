"""How far a projection has come, for those who wait for it."""

import asyncio


class Reached:
    """The highest stream position that is in committed rows."""

    def __init__(self) -> None:
        self._seq = 0
        self._moved = asyncio.Event()

    def doubt(self, aggregate: str, id: str) -> None:
        """The log itself refuses what is decided about it."""

    def committed(self, seq: int) -> None:
        """Everything up to `seq` is in committed rows now."""
        self._seq = max(self._seq, seq)
        self._moved.set()

    async def reached(self, seq: int) -> None:
        """Return once everything up to `seq` is in committed rows."""
        while self._seq < seq:
            self._moved.clear()
            await self._moved.wait()

    async def moved(self, after: int) -> int:
        """Return once something behind `after` is in committed rows, with the position that is."""
        await self.reached(after + 1)
        return self._seq
