"""A container that does one thing by an order, and stays: its name is taken, so nothing is made twice."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import TypeAlias

from fastflow_events.errors import InfrastructureError

from fastflow_runner.adapters.docker.container import Container, State
from fastflow_runner.adapters.docker.pool import Pool
from fastflow_runner.adapters.docker.tidy import RESULT_BYTES
from fastflow_runner.core.closing import Closing
from fastflow_runner.core.container_spec import Deployment, tool_body
from fastflow_runner.core.names import CONNECTED
from fastflow_runner.core.orders import took_too_long
from fastflow_runner.entry.codes import OUTAGE

Order: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]
WORDS_BYTES = 64 << 10
"""As much is read of what a tool has to complain of."""
_ABANDONED_S = 5.0
_TRIES = 3


class Tools:
    """Makes them; whoever asks while somebody else is at it waits for that.

    One that has a network shares the namespace of a pause container, which was closed for it alone.
    """

    def __init__(self, deployment: Deployment, pool: Pool, *, closing: Closing, owner: str, tool_s: float) -> None:
        self._deployment = deployment
        self._pool = pool
        self._closing = closing
        self._owner = owner
        self._tool_s = tool_s
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def in_time(self, container: Container, mode: str, order: Order) -> tuple[State, bool]:
        """The same of a tool in which nothing of a package is executed."""
        try:
            async with asyncio.timeout(self._tool_s):
                return await self.made(container, mode, order)
        except TimeoutError as error:
            await container.remove()
            raise InfrastructureError(f"{container.name}: {took_too_long(self._tool_s)}") from error

    async def made(self, container: Container, mode: str, order: Order) -> tuple[State, bool]:
        """State of the tool's container once it has ended, and whether it did its work for this call."""
        async with self._turns[container.name]:
            if mode not in CONNECTED:
                return await self._made(container, mode, order)
            with self._pool.work_of(container.name):
                done = await self._made(container, mode, order)
                # Whoever is broken off leaves that to the sweep, which knows whether the container is still at work.
                self._pool.gone(container.name, reuse=False)
                return done

    async def _made(self, container: Container, mode: str, order: Order) -> tuple[State, bool]:
        connected = mode in CONNECTED
        for _ in range(_TRIES):
            place = await self._pool.place(container.name, self._closing, new=False) if connected else ""
            made = await container.create(tool_body(self._deployment, mode, owner=self._owner, place=place))
            if made or await container.is_abandoned(_ABANDONED_S):
                if made or not connected:
                    made = await self._told(container, order, connected=connected) or made
                else:
                    # What it was to join is nobody's any more.
                    await container.remove()
            state = await container.ended()
            if state is not None and state.status == "exited":
                # Without its order it did nothing: whoever started it died at once.
                if state.exit_code != OUTAGE or made:
                    return state, made
                await container.remove()
        raise InfrastructureError(f"{container.name} disappears before it is done")

    async def _told(self, container: Container, order: Order, *, connected: bool) -> bool:
        stream = await container.attach()
        if stream is None:
            return False
        try:
            if not await self._started(container, connected=connected):
                return False
            async for piece in _pieces(order):
                await stream.write(piece)
            async for _ in stream.read():
                pass
        finally:
            stream.close()
        return True

    async def _started(self, container: Container, *, connected: bool) -> bool:
        """True when it waits for its order, in the namespace that was made for it; else it is removed."""
        if not connected:
            return await container.start()
        try:
            if await container.start() and await self._pool.nets.is_in_its_own(container, connected=True):
                return True
        except InfrastructureError:
            await self._forgotten(container)
            raise
        await self._forgotten(container)
        return False

    async def _forgotten(self, container: Container) -> None:
        await container.remove()
        self._pool.gone(container.name, reuse=False)


async def _pieces(order: Order) -> AsyncIterator[bytes]:
    if isinstance(order, AsyncIterable):
        async for piece in order:
            yield piece
    else:
        for piece in [order] if isinstance(order, bytes) else order:
            yield piece


async def words(container: Container, stream: int) -> str:
    """What it said: 1 is its result, 2 its complaints, of which only the beginning is of use."""
    printed = await container.words(stream, most_bytes=RESULT_BYTES if stream == 1 else WORDS_BYTES)
    return printed.decode("utf-8", "replace").strip()
