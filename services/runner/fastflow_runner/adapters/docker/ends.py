"""How attempts end: what the engine says, and sooner what whoever follows their output reads."""

import asyncio

from msgspec import structs

from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.launch import first_record
from fastflow_runner.core import marks
from fastflow_runner.entry.markers import NEVER_STARTED
from fastflow_runner.ports import AttemptRef, Exit

_READ_END_S = 1.0
_LEAVES_WITHIN_S = 5.0


class Ends:
    """The ends of one executor's attempts."""

    def __init__(self) -> None:
        self._told: dict[AttemptRef, asyncio.Future[bytes]] = {}
        """The marker as it stands in the output of an attempt that somebody follows; empty when it was not there."""
        self._leaving: dict[AttemptRef, asyncio.Future[Exit]] = {}
        """Attempts that are known to have succeeded, until their containers have ended."""

    def listen(self, ref: AttemptRef) -> asyncio.Future[bytes]:
        """Where to say what the marker is, for somebody who follows."""
        return self._told.setdefault(ref, asyncio.get_running_loop().create_future())

    def give_up(self, ref: AttemptRef) -> None:
        """Nobody follows the attempt any more, and there was no marker."""
        if future := self._told.pop(ref, None):
            future.set_result(b"")

    async def wait(self, ref: AttemptRef, container: Container, nonce: str) -> Exit:
        """How the attempt ended.

        A success that is proven is not kept waiting for its container, which takes longer to go than all the rest.
        """
        ending, marker = asyncio.ensure_future(self._ended(ref, container, nonce)), self._told.get(ref)
        try:
            if marker is not None:
                await asyncio.wait((ending, marker), return_when=asyncio.FIRST_COMPLETED)
            if marker is not None and not ending.done():
                proven = marks.completed(Exit(exit_code=0), marker.result(), nonce)
                if proven.marker_code == 0:
                    self._leaving[ref] = ending
                    return proven
            return await ending
        except asyncio.CancelledError:
            ending.cancel()
            raise

    async def forget(self, ref: AttemptRef) -> None:
        """The attempt will be removed; a container that is about to end by itself is given the time."""
        if leaving := self._leaving.pop(ref, None):
            await asyncio.wait((leaving,), timeout=_LEAVES_WITHIN_S)
            leaving.cancel()
            if leaving.done() and not leaving.cancelled():
                leaving.exception()  # seen, so that nobody reports it as forgotten
        # Only now: without it, whoever waits reads the marker out of the container, a process of the engine's for each.
        self._told.pop(ref, None)

    async def _ended(self, ref: AttemptRef, container: Container, nonce: str) -> Exit:
        state = await container.ended()
        if state is None:
            return Exit(exit_code=None)
        if state.status == "created":
            return Exit(exit_code=None, never_started=True)
        observed = Exit(exit_code=state.exit_code, oom_killed=state.oom_killed, finished_at=state.finished_at)
        known = marks.completed(observed, await self._read(ref), nonce)
        if known.marker_code is None:
            known = marks.completed(observed, await container.exit_marker(), nonce)
        if known.marker_code is None and state.exit_code == NEVER_STARTED:
            return structs.replace(known, never_started=await first_record(container, follow=False) is None)
        return known

    async def _read(self, ref: AttemptRef) -> bytes:
        """The marker as somebody who follows reads it; empty when nobody does, or not in time."""
        marker = self._told.get(ref)
        if marker is not None:
            await asyncio.wait([marker], timeout=_READ_END_S)
        return marker.result() if marker is not None and marker.done() else b""
