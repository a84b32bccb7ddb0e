"""Attempts as containers, through the socket proxy, on the cold path: one container made for each attempt."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from math import ceil
from typing import Literal

from fastflow_events.run.specification import Specification
from msgspec import Struct, json, structs

from fastflow_runner import marks
from fastflow_runner.adapters.docker_container import Container, expect, settled
from fastflow_runner.adapters.docker_engine import Engine
from fastflow_runner.adapters.docker_launch import Launcher, VolumeChangedError, first_record
from fastflow_runner.adapters.docker_tools import DockerTools
from fastflow_runner.adapters.docker_wire import frame
from fastflow_runner.container_spec import Deployment, run_body, run_name
from fastflow_runner.entry.markers import NEVER_STARTED
from fastflow_runner.entry.records import decode_line
from fastflow_runner.orders import STATE_FOLDER, Places, manifest_of, run_order
from fastflow_runner.ports import AttemptRef, Exit, Found, Frame, Launch, Prepared, Started

logger = logging.getLogger(__name__)
_NAME = re.compile(r"/fastflow-(?P<run_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<attempt>[1-9][0-9]*)")
_MAX_GRACE_S = 86_400
_READ_END_S = 1.0


class _Info(Struct, rename={"id": "ID", "cpus": "NCPU"}):
    id: str
    cpus: int


class _Listed(Struct, rename="pascal"):
    names: list[str]
    state: str


class DockerExecutor:
    """Each attempt is a container that is made for it, and removed after it."""

    kind: Literal["docker", "process"] = "docker"

    def __init__(
        self,
        url: str,
        *,
        deployment: Deployment,
        owner: str,
        key: bytes,
        uv_settings: Mapping[str, str] | None = None,
        grace_s: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Talk to the socket proxy at `url`; nothing is connected yet.

        `owner` labels the containers: `found` sees those of the same owner only. `key` names the folders of code;
        `uv_settings` go to uv when it prepares, with credentials of package indexes if need be; `grace_s` is the time
        between SIGTERM and SIGKILL when a script's time is over.
        """
        self._engine = Engine(url, deployment)
        self._deployment = deployment
        self._owner = owner
        self._grace_s = grace_s
        self._launcher = Launcher(clock)
        self._tools = DockerTools(self._engine, deployment, owner=owner, key=key, uv_settings=dict(uv_settings or {}))
        self._info: _Info | None = None
        self._ends: dict[AttemptRef, asyncio.Future[bytes]] = {}

    async def engine_id(self) -> str:
        """Id of the Docker daemon."""
        return (await self._about()).id

    async def has_code(self, tree: str) -> bool:
        """True when the tree is staged completely."""
        return await self._tools.has_code(tree)

    async def stage_code(self, tree: str, bundle: bytes) -> None:
        """Unpack the bundle into the shared volume, once."""
        await self._tools.stage(tree, bundle)

    async def prepare(self, specification: Specification, lock: str | None) -> Prepared:
        """Return the environment, building it once however many ask."""
        return await self._tools.prepare(specification, lock)

    async def launch(self, launch: Launch) -> Started:
        """Create or find the attempt's container, send the order, and return once user code has started."""
        image, about = await asyncio.gather(self._tools.image(), self._about())
        limits = launch.specification.limits
        if limits.cpus and limits.cpus > about.cpus:
            context = {"action": "cpus_clamped", "wanted": limits.cpus, "given": about.cpus}
            logger.warning("more processors are wanted than the engine's host has", extra=context)
        body = run_body(self._deployment, limits, owner=self._owner, nonce=launch.nonce, host_cpus=about.cpus)
        places = Places(
            code=self._tools.code(launch.specification.tree),
            app="/app",
            state=f"/app/{STATE_FOLDER}",
            home="/tmp",
            contained=True,
        )
        manifest = manifest_of(launch, executor=self.kind, container=run_name(launch.ref), image=image)
        order = run_order(launch, places, manifest, grace_s=self._grace_s)
        try:
            return await self._launcher.launch(self._container(launch.ref), body, order, launch.not_after)
        except VolumeChangedError:
            await self._tools.forget(launch.specification.tree, launch.prepared.environment)
            raise

    async def found(self) -> list[Found]:
        """Every attempt of this owner that has a container."""
        answer = await self._engine.call("list", owner=self._owner)
        expect(answer, 200)
        result = []
        for listed in json.decode(answer.body, type=list[_Listed]):
            match = _NAME.fullmatch(listed.names[0]) if listed.names else None
            if match:
                ref = AttemptRef(run_id=match["run_id"], attempt=int(match["attempt"]))
                result.append(Found(ref=ref, state=settled(listed.state)))
        return result

    async def started(self, ref: AttemptRef) -> Started | None:
        """What the first stored record of the attempt says; a script cannot take it away."""
        return await first_record(self._container(ref), follow=False)

    async def frames(self, ref: AttemptRef, *, skip: int, follow: bool) -> AsyncIterator[Frame]:
        """Output from frame `skip` on, read from the engine's own log file."""
        index = 0
        # A reader that follows learns the end first, and spares `wait` a slow question.
        end = self._ends.setdefault(ref, asyncio.get_running_loop().create_future()) if follow else None
        try:
            async with aclosing(self._container(ref).log(follow=follow)) as entries:
                async for stream, at, content in entries:
                    letter, data = decode_line(content)
                    if letter == "-":
                        if index >= skip:
                            yield frame(index, stream, at, data)
                        index += 1
                    elif letter == "x" and end is not None and not end.done():
                        end.set_result(data)
        finally:
            if end is not None and not end.done():
                self._ends.pop(ref, None)
                end.set_result(b"")

    async def wait(self, ref: AttemptRef, nonce: str) -> Exit:
        """Return how the attempt ended; an engine that does not answer is asked until it does."""
        container = self._container(ref)
        state = await container.ended()
        if state is None:
            return Exit(exit_code=None)
        if state.status == "created":
            return Exit(exit_code=None, never_started=True)
        observed = Exit(exit_code=state.exit_code, oom_killed=state.oom_killed, finished_at=state.finished_at)
        known = marks.completed(observed, await self._read_end(ref), nonce)
        if known.marker_code is None:
            known = marks.completed(observed, marks.from_archive(await container.exit_marker()), nonce)
        if known.marker_code is None and state.exit_code == NEVER_STARTED:
            return structs.replace(known, never_started=await first_record(container, follow=False) is None)
        return known

    async def _read_end(self, ref: AttemptRef) -> bytes:
        """The end as somebody who follows the output reads it; empty when nobody does, or not in time."""
        end = self._ends.get(ref)
        if end is not None:
            await asyncio.wait([end], timeout=_READ_END_S)
        return end.result() if end is not None and end.done() else b""

    async def stop(self, ref: AttemptRef, *, grace_s: float) -> None:
        """SIGTERM to user code, SIGKILL to the container after the grace period."""
        await self._container(ref).stop(min(ceil(grace_s), _MAX_GRACE_S))

    async def remove(self, ref: AttemptRef) -> None:
        """Remove the attempt's container and its volume."""
        self._ends.pop(ref, None)
        await self._container(ref).remove()

    def close(self) -> None:
        """Close idle connections; attempts go on."""
        self._engine.close()

    def _container(self, ref: AttemptRef) -> Container:
        return Container(self._engine, run_name(ref))

    async def _about(self) -> _Info:
        if self._info is None:
            answer = await self._engine.call("info")
            expect(answer, 200)
            self._info = json.decode(answer.body, type=_Info)
        return self._info
