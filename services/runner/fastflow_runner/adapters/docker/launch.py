"""The start of an attempt's container: user code at most once, however many try and whoever dies in between.

```text
a standby worker, renamed --------+
   |none                          v
create -201-> attach -> start -> order over standard input -> first record: user code starts
   |409
   +-> created: somebody else is about to start it; after a while it is ours   (two orders at once are no order)
   +-> running: wait for the first record, or for its end
   +-> exited:  with that record it was started; without, it never was, and only then is it made again
```
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime
from weakref import WeakValueDictionary

from fastflow_events.errors import InfrastructureError
from msgspec import Struct

from fastflow_runner.adapters.docker.container import Container, State
from fastflow_runner.adapters.docker.engine import Stream
from fastflow_runner.adapters.docker.pool import Pool
from fastflow_runner.core import marks
from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.closing import Closing
from fastflow_runner.entry.markers import NEVER_STARTED
from fastflow_runner.entry.records import decode_line
from fastflow_runner.ports import NotAfterError, Started, TreeChangedError, VolumeChangedError

_TRIES = 5
_ABANDONED_S = 2.0
_START_S = 120.0
_ASK_AGAIN_S = 0.02
_STDOUT = 1
_FIRST_BYTES = 1 << 20
_WORDS_BYTES = 4096


class Wanted(Struct, frozen=True, kw_only=True):
    """One attempt to be started."""

    container: Container
    bounds: Bounds
    image: str
    """Id of the image it is started from."""
    body: Callable[[str], bytes]
    """Body of the create request, given the place of the namespace to join; empty is no network."""
    order: bytes
    not_after: datetime
    alone: bool = False
    """No standby worker can become its container."""
    connected: bool = True
    """False: it has no network."""
    closing: Closing | None = None
    """How its network is closed where it has one for itself; None is one as all have it."""


class Launcher:
    """Starts attempts, one call at a time for each."""

    def __init__(self, pool: Pool, clock: Callable[[], float], passed: Callable[[str], None]) -> None:
        self._pool = pool
        self._clock = clock
        self._passed = passed
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def launch(self, wanted: Wanted) -> Started:
        """What the entry program says when user code starts, now or long ago.

        Raises:
            NotAfterError: the lease ran out first.
            VolumeChangedError: what the order names is not there.
            InfrastructureError: user code was not started, for another reason.
        """
        container = wanted.container
        turn = self._turns.setdefault(container.name, asyncio.Lock())
        async with turn:
            try:
                with self._pool.start_of(container.name, wanted.bounds):
                    async with asyncio.timeout(_START_S):
                        return await self._launch(wanted)
            except TimeoutError as error:
                raise InfrastructureError("user code neither starts nor ends", run=container.name) from error

    async def _launch(self, wanted: Wanted) -> Started:
        container = wanted.container
        reason = detail = ""
        for tries in range(_TRIES):
            late = self._clock() > wanted.not_after.timestamp()
            # What went wrong with a standby worker, or in a used namespace, goes on in a new one the next time.
            stream = None if late else await self._open(wanted, new=tries > 0)
            if stream is not None and (started := await self._order(stream, wanted.order)):
                return started
            found = await _decided(container)
            if isinstance(found, Started):
                return found
            if found is not None:
                reason, detail = await _refusal(container, found)
                await container.remove()
            self._pool.gone(container.name, reuse=False)
            if late or reason == "not_after":
                raise NotAfterError("the lease ran out before user code was started", run=container.name)
            if reason == "changed":
                raise TreeChangedError(detail, run=container.name)
            if reason in {"code", "interpreter"}:
                raise VolumeChangedError(detail, run=container.name)
        raise InfrastructureError(f"user code cannot be started: {detail or 'its container disappears'}", reason=reason)

    async def _open(self, wanted: Wanted, *, new: bool) -> Stream | None:
        """Standard input of the attempt's container, which waits for its order; None when it is not for us to give."""
        container = wanted.container
        alone = new or wanted.alone or not wanted.connected or wanted.closing is not None
        if not alone and (taken := await self._pool.take(container.name, wanted.bounds, wanted.image)):
            return taken
        place = await self._pool.place(container.name, wanted.closing, new=new) if wanted.connected else ""
        if not (await container.create(wanted.body(place)) or await container.is_abandoned(_ABANDONED_S)):
            return None
        stream = await container.attach()
        if stream is None:
            return None
        try:
            # It joins the namespace when it starts: only now can that not be another one any more.
            if await container.start() and await self._pool.nets.is_in_its_own(container, connected=wanted.connected):
                return stream
            stream.close()
        except InfrastructureError:
            stream.close()
            if not await self._refused(container) or not place:
                raise
        except BaseException:
            stream.close()
            raise
        return None

    async def _refused(self, container: Container) -> bool:
        """True when it could not be started, and is in nobody's way now: the namespace it was to join may be gone."""
        state = await container.inspect()
        if state is None or state.status != "created":
            return False
        await container.remove()
        self._pool.gone(container.name, reuse=False)
        return True

    async def _order(self, stream: Stream, order: bytes) -> Started | None:
        """Say what is to be done; the answer is the first record, if the connection lives to bring it."""
        try:
            await stream.write(order)
            self._passed("order_sent")
            first = b""
            async for entries in stream.frames():
                first += b"".join(content for number, content in entries if number == _STDOUT)
                if b"\n" in first:
                    letter, payload = decode_line(first.partition(b"\n")[0])
                    return marks.started(payload) if letter == "s" else None
                if len(first) > _FIRST_BYTES:
                    return None
        finally:
            # The engine closes the container's standard input with this connection, here as when this process dies.
            stream.close()
        return None


async def first_record(container: Container, *, follow: bool) -> Started | None:
    """The record that stands first in the log of every attempt whose user code was started."""
    async with aclosing(container.log(follow=follow)) as entries:
        async for stream, _, content in entries:
            if stream == _STDOUT:
                letter, payload = decode_line(content)
                return marks.started(payload) if letter == "s" else None
    return None


async def _decided(container: Container) -> Started | State | None:
    """That user code was started, or the container's state once it is certain that it was not; None when it is gone.

    The log decides and not the connection, which may have been cut.
    """
    while True:
        state = await container.inspect()
        if state is None or state.status == "created":
            return state
        if started := await first_record(container, follow=state.status == "running"):
            return started
        if state.status == "exited":
            return state
        await asyncio.sleep(_ASK_AGAIN_S)


async def _refusal(container: Container, state: State) -> tuple[str, str]:
    """Why the entry program did not start user code."""
    words = b""
    async with aclosing(container.log(follow=False)) as entries:
        async for _, _, content in entries:
            letter, payload = decode_line(content)
            if letter == "r":
                return marks.refused(payload)
            words = (words + payload)[-_WORDS_BYTES:]
    if state.exit_code == NEVER_STARTED:
        return marks.refused(b"")
    text = words.decode("utf-8", "replace").strip()[-500:]
    return "killed", state.error or f"its entry program ended with code {state.exit_code}: {text}"
