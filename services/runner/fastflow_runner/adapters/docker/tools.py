"""Code and environments in the shared volume, each made by a short container of its own.

The container that ended well stays: its name is taken, so nothing is made twice, and what it printed is remembered as
long as the volume it wrote to, which the engine does not remove before it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from secrets import token_hex
from time import monotonic

from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import ContractError, InfrastructureError
from msgspec import structs

from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.adapters.docker.failures import Said
from fastflow_runner.adapters.docker.image import worker_image
from fastflow_runner.adapters.docker.listed import listed
from fastflow_runner.adapters.docker.tidy import forget_prepared
from fastflow_runner.adapters.docker.tool import Tools, words
from fastflow_runner.adapters.docker.wheels import GONE, ROOT, WHEELS_BYTES, Supply
from fastflow_runner.adapters.spoiled import tell_changed
from fastflow_runner.core import marks
from fastflow_runner.core.adoption import Adopted, Verified
from fastflow_runner.core.bounds import Room
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.orders import delete_order, input_name, jit_prepared, of_generation, took_too_long
from fastflow_runner.core.tree_orders import (
    code_name,
    seal_key,
    set_aside_order,
    stage_order,
    unstage_order,
    verify_order,
)
from fastflow_runner.entry.codes import NEEDS_FETCH, NEEDS_PYTHON, NOT_STAGED, REFUSED
from fastflow_runner.entry.manifest import ChangedError
from fastflow_runner.ports import DependencyError, Prepared

logger = logging.getLogger(__name__)


class DockerTools:
    """Stages and prepares; whoever asks while somebody else is at it waits for that."""

    def __init__(
        self,
        engine: Engine,
        deployment: Deployment,
        *,
        key: bytes,
        uv_settings: dict[str, str],
        tools: Tools,
        room: Room,
        wheels_bytes: int = WHEELS_BYTES,
    ) -> None:
        self._engine = engine
        self._deployment = deployment
        self._key = key
        self._tools = tools
        self._said = Said()
        self._supply = Supply(
            engine, tools, uv_settings, self._said, wheels_bytes=wheels_bytes, key=seal_key(key), room=room
        )
        self._asking: Counter[str] = Counter()
        """How many wait for what the container of a name makes."""
        self._staged: dict[str, dict[str, str]] = {}
        self._known: dict[str, Prepared] = {}
        self.adopted = Adopted()

    def code(self, tree: str) -> str:
        """Folder of the tree's code."""
        return f"{ROOT}/code/{code_name(self._key, tree)}"

    def sealed(self, tree: str, prepared: Prepared) -> dict[str, str]:
        """What a run of the tree is started from, by its path, with the hash of its manifest."""
        return {**self._staged.get(tree, {}), **prepared.sealed}

    async def has_code(self, tree: str) -> bool:
        """True when the container that staged the tree ended well, and says what it left."""
        if tree not in self._staged:
            container = self._stage(tree)
            state = await container.inspect()
            if state is not None and state.status == "exited" and state.exit_code == 0:
                staged = marks.staged((await words(container, 1)).encode())
                if staged is None:
                    await container.remove()
                else:
                    self._staged[tree] = staged.sealed
        return tree in self._staged

    async def stage(self, tree: str, bundle: bytes) -> None:
        """Unpack the bundle into the volume.

        Raises:
            ContractError: the bundle must not be unpacked.
            ImageMissingError: there is no worker image, or one for another user.
        """
        if await self.has_code(tree):
            return
        await worker_image(self._engine, self._deployment)
        container = self._stage(tree)
        order = await asyncio.to_thread(stage_order, self.code(tree), bundle, seal_key(self._key))
        state, made = await self._tools.in_time(container, "stage", order)
        staged = marks.staged((await words(container, 1)).encode()) if state.exit_code == 0 else None
        if staged is not None:
            self._staged[tree] = staged.sealed
            if made:
                self._heard(staged.sealed, staged.spoiled)
            return
        printed = self._said.of(container.name, await words(container, 2))
        await container.remove()
        refused = printed and state.exit_code == REFUSED
        raise (ContractError if refused else InfrastructureError)(printed or GONE, code=state.exit_code)

    def _heard(self, sealed: dict[str, str], spoiled: Sequence[str]) -> None:
        """What was made or looked at just now needs no look; what was found to be changed is told."""
        self.adopted.seen(sealed)
        tell_changed(*spoiled)

    async def forget(self, tree: str, environment: str) -> None:
        """Make both anew when they are asked for next: somebody emptied the volume, or has changed something there."""
        self.adopted.forget(self._staged.pop(tree, {}))
        await self._stage(tree).remove()
        for name in [name for name, known in self._known.items() if known.environment == environment]:
            del self._known[name]
            await Container(self._engine, name).remove()

    async def prepare(
        self, specification: Specification, lock: str | None, generation: int = 0, within_s: float | None = None
    ) -> Prepared:
        """Return the environment, building it once however many ask.

        Raises:
            DependencyError: a requirement cannot be resolved or installed, or not in that time.
            VolumeChangedError: the code is no longer there.
        """
        if specification.isolation == "jit":
            return jit_prepared(specification, "/usr/local/bin/uv")
        image = (await worker_image(self._engine, self._deployment)).shown
        kind = of_generation(image, lock, generation)
        name = self._prepare(specification, lock, kind).name
        self._asking[name] += 1
        try:
            async with asyncio.timeout(within_s):
                return await self._environment(specification, lock, image, kind)
        except TimeoutError as error:
            late = error
        finally:
            self._asking[name] -= 1
        await self._end(specification, lock, kind)
        raise DependencyError(took_too_long(within_s)) from late

    async def give_up(self, specification: Specification, lock: str | None, generation: int = 0) -> None:
        """End the containers of this runner that still make the environment, where nobody here waits for them."""
        if specification.isolation != "jit":
            ours = {tool.name for tool in await listed(self._engine, self._deployment, "tools")}
            image = (await worker_image(self._engine, self._deployment)).shown
            await self._end(specification, lock, of_generation(image, lock, generation), ours)

    async def _end(
        self, specification: Specification, lock: str | None, kind: str, ours: Collection[str] | None = None
    ) -> None:
        first, second = (self._prepare(specification, lock, each) for each in (kind, _fetched(kind)))
        if self._asking[first.name]:
            return
        for container in (*self._supply.beside(second), *self._supply.beside(first), second, first):
            if ours is None or container.name in ours:
                state = await container.inspect()
                if state is not None and state.status != "exited":
                    logger.info("ended", extra={"action": "tool_ended", "container": container.name})
                    await container.remove()

    async def _environment(self, specification: Specification, lock: str | None, image: str, kind: str) -> Prepared:
        container = self._prepare(specification, lock, kind)
        if known := self._known.get(container.name):
            return known
        began = monotonic()
        code = self.code(specification.tree)
        order = self._supply.link_order(specification, lock, code)
        state, made = await self._tools.made(container, "prepare", order)
        if state.exit_code == NEEDS_PYTHON:
            await self._supply.python(container, specification, code)
            state, made = await self._tools.made(container, "prepare", order)
        if state.exit_code == NEEDS_FETCH:
            # The first one stays, and remembers that it has to be so.
            container = self._prepare(specification, lock, _fetched(kind))
            state, made = await self._supply.linked(container, specification, lock, code)
        if state.exit_code == 0:
            prepared = marks.prepared((await words(container, 1)).encode())
            if prepared is not None:
                # Who asks next will have the lock of this time.
                if made:
                    self._heard(prepared.sealed, prepared.spoiled)
                known = structs.replace(prepared, prepare_s=0.0, spoiled=())
                self._known[self._prepare(specification, lock, kind).name] = known
                self._known[self._prepare(specification, prepared.lock, image).name] = known
                self._known[container.name] = known
                return structs.replace(prepared, prepare_s=round(monotonic() - began, 3) if made else 0.0)
        if state.exit_code == NOT_STAGED:
            await self.forget(specification.tree, "")
        raise await self._supply.failure(container, state)

    async def delete(self, environments: Sequence[str]) -> dict[str, int]:
        """Delete environments that no run is in; those that are gone now, and the bytes that it freed."""
        deleted = await self._once("prepare", delete_order(environments, root=ROOT))
        freed = marks.deleted(deleted.encode()) or {}
        for name in [name for name, known in self._known.items() if known.environment in freed]:
            del self._known[name]
        await forget_prepared(self._engine, self._deployment, freed)
        return freed

    async def delete_code(self, trees: Sequence[str]) -> None:
        """Delete staged code, and the containers that prove that it is there."""
        for tree in trees:
            self._staged.pop(tree, None)
            await self._stage(tree).remove()
        await self._once("stage", unstage_order([self.code(tree) for tree in trees]))

    async def verify(self, only: str = "") -> Verified:
        """Look at every byte of what is in the volume; what is not as it was made is set aside, to be made again."""
        order = verify_order(uv=ROOT, code=f"{ROOT}/code", key=seal_key(self._key), only=only)
        verified = marks.verified((await self._once("verify", order)).encode())
        if verified is None:
            raise InfrastructureError("what is there was not looked through: it said nothing that can be understood")
        if verified.changed:
            for path, differing in verified.changed.items():
                tell_changed(f"{path}: {ChangedError(*differing)}")
            await self._once("prepare", set_aside_order(tuple(verified.changed), root=ROOT))
        return verified

    async def _once(self, mode: str, order: bytes) -> str:
        """What a tool says that does something once, in a container that does not stay."""
        # A name of its own each time: what it proves is true of one moment.
        container = self._container(mode, token_hex(16))
        try:
            state, _ = await self._tools.in_time(container, mode, order)
            if state.exit_code != 0:
                raise InfrastructureError(f"{mode} was not done: {await words(container, 2)}", code=state.exit_code)
            return await words(container, 1)
        finally:
            await container.remove()

    def cache(self, specification: Specification) -> str:
        """Name of the volume that belongs to the specification's pipeline alone."""
        name = code_name(self._key, f"jit {specification.pipeline}")[:32]
        return f"{self._deployment.names.prefix}jit-{name}"

    def _stage(self, tree: str) -> Container:
        # What it proves is true of one volume.
        name = code_name(self._key, f"{tree} {self._deployment.volume}")[:32]
        return self._container("stage", name)

    def _prepare(self, specification: Specification, lock: str | None, image: str) -> Container:
        name = input_name(specification, lock, f"{image} {self._deployment.volume}")
        return self._container("prepare", name)

    def _container(self, mode: str, name: str) -> Container:
        return Container(self._engine, f"{self._deployment.names.prefix}{mode}-{name}")


def _fetched(kind: str) -> str:
    return f"{kind} fetched"
