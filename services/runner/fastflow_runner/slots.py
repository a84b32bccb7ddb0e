"""How many attempts are executed at once."""

import asyncio


class Slots:
    """A counter with an upper bound that only new work respects: what was running before a restart runs on."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self._freed = asyncio.Event()

    async def take(self) -> None:
        """Wait for a free slot and take it."""
        while self.taken >= self.limit:
            self._freed.clear()
            await self._freed.wait()
        self.taken += 1

    def take_anyway(self) -> None:
        """Take a slot, beyond the bound if need be."""
        self.taken += 1

    async def all_free(self) -> None:
        """Wait until nothing is executed."""
        while self.taken:
            self._freed.clear()
            await self._freed.wait()

    def give_back(self) -> None:
        """Free a slot."""
        self.taken -= 1
        self._freed.set()
