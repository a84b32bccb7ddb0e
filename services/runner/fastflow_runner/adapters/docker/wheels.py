"""Wheels that a run needs, fetched or built in containers of their own, and handed on without being held."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import InfrastructureError

from fastflow_runner.adapters.docker.container import Container, State
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.adapters.docker.failures import Said
from fastflow_runner.adapters.docker.tool import Tools, words
from fastflow_runner.core import marks
from fastflow_runner.core.bounds import Room, size
from fastflow_runner.core.container_spec import BUILD_ROOT
from fastflow_runner.core.orders import build_order, fetch_order, link_order, python_order
from fastflow_runner.core.shortfalls import BuiltTooLarge, PackagesTooLarge
from fastflow_runner.entry.codes import NEEDS_BUILD, NOT_STAGED, OUTAGE, REFUSED, TOO_LARGE
from fastflow_runner.ports import DependencyError, VolumeChangedError

WHEELS_BYTES = 1 << 30
"""All wheels of one build together, as large as a pipeline's whole code may be."""
GONE = "what failed was removed before its words were read; it is tried again"
ROOT = "/uv"
"""Where the shared volume is."""


class Handed:
    """An order, and behind it what stands ready in another container: piece by piece, and as often as wanted."""

    def __init__(self, order: bytes, source: Container, *, most_bytes: int | None) -> None:
        self._order = order
        self._source = source
        self._most_bytes = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """All of it, from the beginning.

        Raises:
            DependencyError: it is too large.
        """
        yield self._order
        length = 0
        async with aclosing(self._source.archive("wheels")) as archive:
            async for piece in archive:
                length += len(piece)
                if self._most_bytes is not None and length > self._most_bytes:
                    raise DependencyError(BuiltTooLarge(self._most_bytes))
                yield piece


class Supply:
    """Fills the store of wheels; whoever asks for the same while somebody is at it waits for that."""

    def __init__(
        self,
        engine: Engine,
        tools: Tools,
        settings: Mapping[str, str],
        failures: Said,
        *,
        wheels_bytes: int,
        key: str,
        room: Room,
    ) -> None:
        """What is made is sealed with the key; `room` is how much of the disk one container may take for it."""
        self._room = room
        self._engine = engine
        self._key = key
        self._said = failures
        self._failed: dict[str, Exception] = {}
        """Why the last one of a name failed, while others wait for the same."""
        self._waiting: Counter[str] = Counter()
        self._tools = tools
        self._settings = settings
        self._wheels_bytes = wheels_bytes
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def beside(self, container: Container) -> list[Container]:
        """Whatever may be at work for the one that prepares."""
        return [self._beside(container, mode) for mode in ("build", "fetch", "python")]

    def link_order(
        self,
        specification: Specification,
        lock: str | None,
        code: str,
        fetched: marks.Fetched | None = None,
        *,
        built: bool = False,
    ) -> bytes:
        """Order to make the environment of what is in the store, and of what was fetched."""
        return link_order(specification, lock, fetched=fetched, built=built, key=self._key, **self._about(ROOT, code))

    async def python(self, container: Container, specification: Specification, code: str) -> None:
        """Have the interpreter installed that the container has missed, which is gone then."""
        installer = self._beside(container, "python")
        order = python_order(specification, key=self._key, room=self._room, **self._about(ROOT, code))
        ended, _ = await self._tools.made(installer, "python", order)
        if ended.exit_code != 0:
            raise await self.failure(installer, ended)
        await installer.remove()
        await container.remove()

    async def linked(
        self, container: Container, specification: Specification, lock: str | None, code: str
    ) -> tuple[State, bool]:
        """The environment of wheels that are fetched or built now, in containers that write nothing shared."""
        name = container.name
        before = self._failed.get(name)
        self._waiting[name] += 1
        try:
            async with self._turns[name]:
                if (failed := self._failed.get(name)) is not None and failed is not before:
                    raise failed
                return await self._linked(container, specification, lock, code)
        except (DependencyError, InfrastructureError) as error:
            self._failed[name] = error
            raise
        finally:
            self._waiting[name] -= 1
            if not self._waiting[name]:
                self._failed.pop(name, None)
                del self._waiting[name]

    async def _linked(
        self, container: Container, specification: Specification, lock: str | None, code: str
    ) -> tuple[State, bool]:
        found = await container.inspect()
        if found is not None and found.status == "exited" and found.exit_code == 0:
            return found, False
        builder, fetcher, _ = self.beside(container)
        try:
            about = self._about(BUILD_ROOT, code)
            order = fetch_order(specification, lock, shared=ROOT, room=self._room, **about)
            ended, _ = await self._tools.made(fetcher, "fetch", order)
            asked = await words(fetcher, 1)
            if ended.exit_code != NEEDS_BUILD:
                handed = await self._handed(fetcher, ended, specification, code)
                state, made = await self._tools.made(container, "prepare", handed)
                if state.exit_code != NEEDS_BUILD:
                    return state, made
                asked = await words(container, 1)
                await container.remove()
            about = {"root": BUILD_ROOT, "uv": "uv", "env": self._settings, "room": self._room}
            order = build_order(specification, lock, asked.encode(), whole=True, **about)
            ended, _ = await self._tools.made(builder, "build", order)
            handed = await self._handed(builder, ended, specification, code, built=True)
            return await self._tools.made(container, "prepare", handed)
        except DependencyError:
            await container.remove()
            raise
        finally:
            await fetcher.remove()
            await builder.remove()

    async def _handed(
        self, source: Container, ended: State, specification: Specification, code: str, *, built: bool = False
    ) -> Handed:
        if ended.exit_code != 0:
            raise await self.failure(source, ended)
        fetched = marks.fetched((await words(source, 1)).encode())
        if fetched is None:
            # Somebody else has used and removed it: what they prepared is as good.
            raise InfrastructureError(f"{source.name} disappeared before its wheels were taken")
        order = self.link_order(specification, fetched.lock, code, fetched, built=built)
        return Handed(order, source, most_bytes=self._wheels_bytes if built else None)

    def _beside(self, container: Container, mode: str) -> Container:
        return Container(self._engine, container.name.replace("-prepare-", f"-{mode}-", 1))

    def _about(self, root: str, code: str) -> dict[str, Any]:
        return {"root": root, "uv": "uv", "code": code, "env": self._settings}

    async def failure(self, container: Container, state: State) -> DependencyError | InfrastructureError:
        """Why it ended, once it is removed so that it can be tried again."""
        printed = self._said.of(container.name, await words(container, 2))
        await container.remove()
        if not printed and state.exit_code == REFUSED:
            return InfrastructureError(GONE, code=state.exit_code)
        if state.exit_code == REFUSED:
            return DependencyError(printed)
        if state.exit_code == NOT_STAGED:
            return VolumeChangedError(printed)
        if state.exit_code == TOO_LARGE:
            limit = printed.rpartition("\n")[2]
            return DependencyError(PackagesTooLarge(size(int(limit)) if limit.isdecimal() else ""))
        how = "" if state.exit_code == OUTAGE else "it ended unexpectedly: "  # uv's words say what did not answer
        return InfrastructureError(f"the environment cannot be prepared: {how}{printed}", code=state.exit_code)
