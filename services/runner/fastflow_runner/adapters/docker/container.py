"""One container of ours, by its name: every call is safe to repeat, and `gone` is an answer, not an error."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Literal

from fastflow_events.errors import InfrastructureError
from msgspec import Struct, json

from fastflow_runner.adapters.docker.engine import Answer, Engine, Stream
from fastflow_runner.adapters.docker.tar_stream import small_file
from fastflow_runner.adapters.docker.wire import entry, instant
from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.container_spec import update_body
from fastflow_runner.entry.markers import EXIT_BYTES
from fastflow_runner.ports import ImageMissingError

_GONE = 404
_CONFLICT = 409
_VISIBLE_S = 5.0
_ASK_AGAIN_S = (0.05, 5.0)


class State(Struct, frozen=True, kw_only=True):
    """A container as the engine sees it."""

    id: str
    life: str
    """When it was started last, in the engine's words: another value is another life under the same name."""
    status: Literal["created", "running", "exited"]
    exit_code: int
    oom_killed: bool
    finished_at: datetime | None
    image: str
    error: str
    network: str
    """`none`, the name of a network, or `container:` and the id of the one whose namespace it shares."""


class _Inner(Struct, rename="pascal"):
    status: str
    started_at: str = ""
    exit_code: int = 0
    oom_killed: bool = False
    finished_at: str = ""
    error: str = ""


class _Host(Struct, frozen=True, rename="pascal"):
    network_mode: str = ""


class _Inspected(Struct, rename="pascal"):
    id: str
    state: _Inner
    image: str = ""
    host_config: _Host = _Host()


class Container:
    """The container that bears `name`, whether there is one or not."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._slots = {"name": name, "run": name, "source": name}
        self.name = name

    async def create(self, body: bytes) -> bool:
        """True when it was created now; False when it exists.

        Raises:
            ImageMissingError: the worker image is not on the engine.
        """
        answer = await self._engine.call("create", body, **self._slots)
        if answer.status == _GONE and "image" in answer.message.lower():
            raise ImageMissingError(f"{answer.message}; build or pull the worker image")
        if answer.status == _CONFLICT:
            return False
        expect(answer, 201)
        return True

    async def inspect(self) -> State | None:
        """Its state; None when it is gone."""
        answer = await self._engine.call("inspect", **self._slots)
        if answer.status == _GONE:
            return None
        expect(answer, 200)
        found = json.decode(answer.body, type=_Inspected)
        inner = found.state
        return State(
            id=found.id,
            life=inner.started_at,
            status=settled(inner.status),
            exit_code=inner.exit_code,
            oom_killed=inner.oom_killed,
            finished_at=instant(inner.finished_at.encode()),
            image=found.image,
            error=inner.error,
            network=found.host_config.network_mode,
        )

    async def running(self) -> State:
        """Its state, when it runs.

        Raises:
            InfrastructureError: it does not.
        """
        state = await self.inspect()
        if state is None or state.status != "running":
            raise InfrastructureError(f"{self.name} ends at once: {state.error if state else 'it is gone'}")
        return state

    async def is_abandoned(self, after_s: float) -> bool:
        """True when it was made, but whoever made it has not started it for that long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            state = await self.inspect()
            waited = loop.time() - began
            # The name is taken before the container can be seen.
            if state is None and waited > _VISIBLE_S:
                return False
            if state is not None and (state.status != "created" or waited > after_s):
                return state.status == "created"
            await asyncio.sleep(0.02)

    async def attach(self) -> Stream | None:
        """Its standard input, and its output from now on; None when it is gone."""
        stream = await self._engine.stream("attach", **self._slots)
        if isinstance(stream, Answer):
            if stream.status in {_GONE, _CONFLICT}:
                return None
            raise _refusal(stream)
        return stream

    async def attached(self) -> Stream:
        """The same, of one that was made just now.

        Raises:
            InfrastructureError: it is gone.
        """
        stream = await self.attach()
        if stream is None:
            raise InfrastructureError(f"{self.name} disappears before it starts")
        return stream

    async def start(self) -> bool:
        """True when this call started it; False when it runs already or is gone.

        To be called only on one that was never started: the engine would start an ended one again.
        """
        answer = await self._engine.call("start", **self._slots)
        # A network that is not there is a 404 too.
        gone = answer.status == _GONE and "no such container" in answer.message.lower()
        if answer.status not in {204, 304} and not gone:
            raise _refusal(answer)
        return answer.status == 204

    async def ended(self) -> State | None:
        """Its state once it does not run any more; None when it is gone. Cut connections are asked again, for ever."""
        pause, longest = _ASK_AGAIN_S
        answered = False
        while True:
            try:
                state = await self.inspect()
                if state is None or state.status != "running":
                    return state
                stream = await self._engine.stream("wait", **self._slots)
                if isinstance(stream, Stream):
                    pause = _ASK_AGAIN_S[0]
                    before, answered = answered, await _drain(stream)
                    if answered and not before:
                        continue
            except InfrastructureError:
                pause = min(pause * 2, longest)
            await asyncio.sleep(pause)

    async def log(self, *, follow: bool) -> AsyncGenerator[tuple[int, bytes, bytes]]:
        """Stored output from the start: stream, time, content; ends where the connection ends."""
        async with aclosing(self.entries(follow=follow)) as several:
            async for entries in several:
                for number, payload in entries:
                    yield number, *entry(payload)

    async def entries(self, *, follow: bool) -> AsyncGenerator[list[tuple[int, bytes]]]:
        """The same as it is sent, several at a time: stream, and time and content with a blank between them."""
        stream = await self._engine.stream("logs", follow=str(int(follow)), **self._slots)
        if isinstance(stream, Answer):
            if stream.status in {_GONE, _CONFLICT}:
                return
            raise _refusal(stream)
        try:
            async for entries in stream.frames():
                yield entries
        finally:
            stream.close()

    async def update(self, bounds: Bounds) -> bool:
        """True when it has these limits now; False when the engine cannot give them to it, or it is gone."""
        answer = await self._engine.call("update", update_body(bounds), **self._slots)
        return answer.status == 200

    async def stats(self) -> Stream | Answer:
        """Statistics, a line of JSON about once a second; an answer where there are none."""
        return await self._engine.stream("stats", **self._slots)

    async def exit_marker(self) -> bytes:
        """Content of the marker `exit.json`; empty when there is none, or something else in its place."""
        async with aclosing(self.archive("exit_marker")) as archive:
            return await small_file(archive, EXIT_BYTES)

    async def archive(self, call: Literal["kept", "exit_marker", "wheels"]) -> AsyncGenerator[bytes]:
        """Tar archive of what the container left there, as it arrives; nothing when there is none."""
        stream = await self._engine.stream(call, **self._slots)
        if isinstance(stream, Answer):
            if stream.status == _GONE:
                return
            raise _refusal(stream)
        try:
            async for data in stream.read():
                yield data
        finally:
            stream.close()

    async def words(self, number: int, *, most_bytes: int) -> bytes:
        """What it has written to a stream, 1 or 2, and no more than the first so many bytes of it."""
        found = bytearray()
        async with aclosing(self.log(follow=False)) as entries:
            async for stream, _, content in entries:
                found += content if stream == number else b""
                if len(found) >= most_bytes:
                    break
        return bytes(found[:most_bytes])

    async def stop(self, grace_s: int) -> None:
        """SIGTERM, and SIGKILL after the grace period; returns when it has ended."""
        answer = await self._engine.call("stop", grace=str(grace_s), **self._slots)
        if answer.status not in {204, 304, _GONE, _CONFLICT}:
            raise _refusal(answer)

    async def remove(self) -> None:
        """Delete it with its volume; one that still runs is killed first."""
        for _ in range(600):
            answer = await self._engine.call("remove", **self._slots)
            if answer.status in {204, _GONE}:
                return
            if answer.status != _CONFLICT:
                raise _refusal(answer)
            # Running, or being removed by somebody else.
            await self._engine.call("kill", **self._slots)
            await asyncio.sleep(0.05)
        raise InfrastructureError(f"{self.name} cannot be removed: {answer.message}")


async def _drain(stream: Stream) -> bool:
    """Read to the end; True when something came: an answer, not a cut."""
    came = False
    try:
        async for _ in stream.read():
            came = True
    finally:
        stream.close()
    return came


def settled(status: str) -> Literal["created", "running", "exited"]:
    """One of three states for the engine's seven."""
    if status == "created":
        return "created"
    return "exited" if status in {"exited", "dead", "removing"} else "running"


def expect(answer: Answer, status: int) -> None:
    """Nothing, when the engine answered as it should.

    Raises:
        InfrastructureError: it did not.
    """
    if answer.status != status:
        raise _refusal(answer)


def _refusal(answer: Answer) -> InfrastructureError:
    verb = "does not answer" if answer.is_the_proxys else "refused"
    return InfrastructureError(f"the container engine {verb}: {answer.message}", status=answer.status)
