"""Attempts as containers, through the socket proxy: a standby worker for each, or a container that is made for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from math import ceil
from typing import Literal

from fastflow_events.aggregates.run.specification import Limits, Specification
from fastflow_events.service.tasks import background
from msgspec import structs

from fastflow_runner.adapters.docker.about import About
from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.ends import Ends
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.adapters.docker.image import worker_image
from fastflow_runner.adapters.docker.keeper import Keeper
from fastflow_runner.adapters.docker.launch import Launcher, Wanted, first_record
from fastflow_runner.adapters.docker.listed import listed
from fastflow_runner.adapters.docker.pool import Pool
from fastflow_runner.adapters.docker.stats import usages
from fastflow_runner.adapters.docker.tar_stream import files_of
from fastflow_runner.adapters.docker.tidy import keep_tidy, tidy
from fastflow_runner.adapters.docker.tool import Tools
from fastflow_runner.adapters.docker.tools import DockerTools
from fastflow_runner.adapters.docker.wheels import WHEELS_BYTES
from fastflow_runner.adapters.docker.wire import entry, frame
from fastflow_runner.adapters.spoiled import tell_changed
from fastflow_runner.core.adoption import Verified
from fastflow_runner.core.attempt_paths import STATE_FOLDER, AttemptPaths
from fastflow_runner.core.bounds import Bounds, Room, bounds_of, remarks_on
from fastflow_runner.core.closing import closing_of, usual
from fastflow_runner.core.container_spec import ENTRY_FOLDER, Deployment, run_body
from fastflow_runner.core.orders import manifest_of, run_order
from fastflow_runner.core.usage import Usage
from fastflow_runner.entry.records import MARK, decode_line, stream_of
from fastflow_runner.passed import Passed, unheard
from fastflow_runner.ports import (
    AttemptRef,
    Exit,
    Found,
    Frame,
    Launch,
    Prepared,
    Started,
    TreeChangedError,
    VolumeChangedError,
)

_MAX_GRACE_S = 86_400
_USUAL_ROOM = Room(usual_bytes=None)


class DockerExecutor:
    """Each attempt is a container that is used once, and removed after it."""

    kind: Literal["docker", "process"] = "docker"

    def __init__(
        self,
        url: str,
        *,
        deployment: Deployment,
        owner: str,
        key: bytes,
        uv_settings: Mapping[str, str] | None = None,
        standby: int = 0,
        default_memory_bytes: int | None = None,
        room: Room = _USUAL_ROOM,
        default_cpus: float | None = None,
        opened: str = "",
        closed: str = "",
        packages_opened: str = "",
        packages_room: Room = _USUAL_ROOM,
        grace_s: float = 10.0,
        tool_s: float = 900.0,
        wheels_bytes: int = WHEELS_BYTES,
        clock: Callable[[], float] = time.time,
        passed: Passed = unheard,
    ) -> None:
        """Talk to the socket proxy at `url`; nothing is connected yet.

        `owner` labels the containers: `found` sees those of the same owner only. `key` names the folders of code;
        `uv_settings` go to uv when it prepares, with credentials of package indexes if need be; `standby` is
        how many workers may wait for attempts while `keep` runs; `grace_s` is the time between SIGTERM and SIGKILL when
        a script's time is over; `default_memory_bytes` is the limit of attempts whose pipeline names none: half of the
        machine's memory unless it is given, none when it is 0; `default_cpus` is that of processors,
        and `room` that of the disk; `opened` and `closed` are targets that all runs reach, or do not; what is
        `packages_…` is for what fetches and builds, instead; `tool_s` is the longest for staging and deleting;
        `wheels_bytes` is the most that one build may hand over; `passed` hears of each step of a start.

        Raises:
            NoTargetError: what is `opened` or `closed` names no addresses.
        """
        deployment = structs.replace(deployment, owner=owner)
        self._engine = Engine(url, deployment)
        self._deployment = deployment
        self._owner = owner
        self._grace_s = grace_s
        self._room = room
        self._closing = usual(opened, closed)
        self._pool = Pool(self._engine, deployment, owner=owner, usual=self._closing, passed=passed)
        self._keeper = Keeper(self._pool, self._engine, ceiling=standby, usual=self._usual)
        self._launcher = Launcher(self._pool, clock, passed)
        self._tools = DockerTools(
            self._engine,
            deployment,
            key=key,
            uv_settings=dict(uv_settings or {}),
            tools=Tools(deployment, self._pool, closing=usual(packages_opened, closed), owner=owner, tool_s=tool_s),
            room=packages_room,
            wheels_bytes=wheels_bytes,
        )
        self._about = About(self._engine, default_memory_bytes, default_cpus)
        self._ends = Ends()

    @property
    def waiting(self) -> int:
        """How many standby workers wait for an attempt."""
        return len(self._pool.waiting)

    @property
    def version(self) -> str:
        """Of the Docker daemon; empty while nobody has asked it anything."""
        return self._about.known.version if self._about.known else ""

    async def engine_id(self) -> str:
        """Id of the Docker daemon."""
        return (await self._about.info()).id

    async def has_code(self, tree: str) -> bool:
        """True when the tree is staged completely."""
        return await self._tools.has_code(tree)

    async def stage_code(self, tree: str, bundle: bytes) -> None:
        """Unpack the bundle into the shared volume, once."""
        await self._tools.stage(tree, bundle)

    async def prepare(
        self, specification: Specification, lock: str | None, *, generation: int = 0, within_s: float | None = None
    ) -> Prepared:
        """Return the environment, building it once however many ask."""
        return await self._tools.prepare(specification, lock, generation, within_s)

    async def give_up(self, specification: Specification, lock: str | None, *, generation: int = 0) -> None:
        """End the containers that still make the environment, where nobody here waits for them."""
        await self._tools.give_up(specification, lock, generation)

    async def verify(self, only: str = "") -> Verified:
        """Look at every byte of what is in the shared volume, and set aside what has changed."""
        return await self._tools.verify(only)

    async def delete_code(self, trees: Sequence[str]) -> None:
        """Delete staged code from the shared volume."""
        await self._tools.delete_code(trees)

    async def delete(self, environments: Sequence[str]) -> dict[str, int]:
        """Delete environments from the shared volume."""
        return await self._tools.delete(environments)

    async def keep(self) -> None:
        """Keep standby workers ready, and few old containers, until cancelled."""
        async with background(keep_tidy(self._engine, self._deployment)):
            await self._keeper.keep()

    async def tidy(self, *, kept_s: float) -> int:
        """Remove containers that staged longer ago; how many that were."""
        return await tidy(self._engine, self._deployment, kept_s=kept_s)

    async def launch(self, launch: Launch) -> Started:
        """Take, create or find the attempt's container, send the order, and return once user code has started."""
        image, machine = await asyncio.gather(worker_image(self._engine, self._deployment), self._about.machine())
        limits = launch.specification.limits
        bounds = bounds_of(limits, machine)
        paths = AttemptPaths(
            code=self._tools.code(launch.specification.tree),
            app="/app",
            state=f"/app/{STATE_FOLDER}",
            home="/tmp",
            entry=ENTRY_FOLDER,
            cache="/cache",
            contained=True,
        )
        manifest = manifest_of(
            launch,
            executor=self.kind,
            container=self._deployment.names.of(launch.ref),
            image=image.shown,
            memory_bytes=bounds.memory_bytes,
            cpus=bounds.nano_cpus / 10**9,
            remarks=remarks_on(limits, machine.cpus),
        )
        jit = launch.specification.isolation == "jit"
        cache = self._tools.cache(launch.specification) if jit else ""

        def body(place: str) -> bytes:
            return run_body(self._deployment, bounds, owner=self._owner, place=place, cache=cache)

        closing = closing_of(launch.specification, self._closing)
        sealed = self._tools.adopted.unseen(self._tools.sealed(launch.specification.tree, launch.prepared))

        wanted = Wanted(
            container=self._container(launch.ref),
            bounds=bounds,
            image=image.id,
            body=body,
            alone=jit,
            connected=closing is not None,
            closing=None if closing == self._closing else closing,
            order=run_order(launch, paths, manifest, grace_s=self._grace_s, room=self._room, sealed=sealed),
            not_after=launch.not_after,
        )
        try:
            started = await self._launcher.launch(wanted)
        except VolumeChangedError as exc:
            if isinstance(exc, TreeChangedError):
                tell_changed(str(exc))
            await self._tools.forget(launch.specification.tree, launch.prepared.environment)
            raise
        self._tools.adopted.seen(sealed)
        return started

    async def found(self) -> list[Found]:
        """Every attempt of this owner that has a container, whatever it was called when it was made."""
        everything = await listed(self._engine, self._deployment)
        return [Found(ref=other.ref, state=other.state) for other in everything if other.ref is not None]

    async def started(self, ref: AttemptRef) -> Started | None:
        """What the first stored record of the attempt says; a script cannot take it away."""
        return await first_record(self._container(ref), follow=False)

    async def frames(self, ref: AttemptRef, *, skip: int, follow: bool) -> AsyncIterator[Frame]:
        """Output from frame `skip` on, read from the engine's own log file."""
        index = 0
        # A reader that follows learns the end first.
        end = self._ends.listen(ref) if follow else None
        try:
            async with aclosing(self._container(ref).entries(follow=follow)) as several:
                async for entries in several:
                    for pipe, payload in entries:
                        at, data = entry(payload)
                        stream, letter = pipe, "-"
                        if data.startswith(MARK):
                            stream, line = stream_of(pipe, data)
                            letter, data = decode_line(line)
                        if letter == "-":
                            if index >= skip:
                                yield frame(index, stream, at, data)
                            index += 1
                        elif letter == "g":
                            if index >= skip:
                                yield structs.replace(frame(index, stream, at, b""), gap_bytes=int(data))
                            index += 1
                        elif letter == "x" and end is not None and not end.done():
                            end.set_result(data)
        finally:
            if end is not None and not end.done():
                self._ends.give_up(ref)

    async def usages(self, ref: AttemptRef) -> AsyncIterator[Usage]:
        """About once a second what the attempt has used."""
        async with aclosing(usages(self._container(ref))) as found:
            async for usage in found:
                yield usage

    async def kept(self, ref: AttemptRef) -> AsyncIterator[tuple[int, bytes]]:
        """Content of an ended attempt's artifacts, in the order in which the engine packs them."""
        async with aclosing(self._container(ref).archive("kept")) as archive, aclosing(files_of(archive)) as files:
            async for name, data in files:
                number = name.rpartition("/")[2]
                if number.isdigit():
                    yield int(number), data

    async def wait(self, ref: AttemptRef, nonce: str) -> Exit:
        """Return how the attempt ended; an engine that does not answer is asked until it does."""
        return await self._ends.wait(ref, self._container(ref), nonce)

    async def stop(self, ref: AttemptRef, *, grace_s: float) -> None:
        """SIGTERM to user code, SIGKILL to the container after the grace period."""
        await self._container(ref).stop(min(ceil(grace_s), _MAX_GRACE_S))

    async def remove(self, ref: AttemptRef) -> None:
        """Remove the attempt's container and its volume."""
        await self._ends.forget(ref)
        container = self._container(ref)
        await container.remove()
        await self._pool.ended(container.name)

    def close(self) -> None:
        """Close idle connections; attempts go on."""
        self._engine.close()

    def _container(self, ref: AttemptRef) -> Container:
        return Container(self._engine, self._deployment.names.of(ref))

    async def _usual(self) -> Bounds:
        return bounds_of(Limits(), await self._about.machine())
