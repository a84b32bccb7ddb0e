"""Code and environments in the shared volume, each made by a short container of its own.

The container that ended well stays: its name is taken, so nothing is made twice, and what it printed is remembered as
long as the volume it wrote to, which the engine does not remove before it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from secrets import token_hex
from time import monotonic

from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.run.specification import Specification
from msgspec import structs

from fastflow_runner import marks
from fastflow_runner.adapters.docker_container import Container, State, expect
from fastflow_runner.adapters.docker_engine import Engine
from fastflow_runner.adapters.docker_tidy import forget_prepared
from fastflow_runner.container_spec import BUILD_ROOT, Deployment, tool_body
from fastflow_runner.entry.preparing import NEEDS_BUILD, NOT_STAGED, OUTAGE, REFUSED
from fastflow_runner.orders import (
    build_order,
    built_lock,
    code_name,
    delete_order,
    input_name,
    jit_prepared,
    of_generation,
    prepare_order,
    stage_order,
    unstage_order,
)
from fastflow_runner.ports import DependencyError, ImageMissingError, Prepared, VolumeChangedError

ROOT = "/uv"
_ABANDONED_S = 5.0
_TRIES = 3


class DockerTools:
    """Stages and prepares; whoever asks while somebody else is at it waits for that."""

    def __init__(
        self, engine: Engine, deployment: Deployment, *, owner: str, key: bytes, uv_settings: dict[str, str]
    ) -> None:
        self._engine = engine
        self._deployment = deployment
        self._owner = owner
        self._key = key
        self._settings = uv_settings
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._staged: set[str] = set()
        self._known: dict[str, Prepared] = {}

    async def image(self) -> str:
        """Id of the worker image, or its repository digest where there is one.

        Raises:
            ImageMissingError: it is not on the engine.
        """
        answer = await self._engine.call("image")
        if answer.status == 404:
            raise ImageMissingError(f"{answer.message}; build or pull the worker image")
        expect(answer, 200)
        return marks.image_id(answer.body)

    def code(self, tree: str) -> str:
        """Folder of the tree's code."""
        return f"{ROOT}/code/{code_name(self._key, tree)}"

    async def has_code(self, tree: str) -> bool:
        """True when the container that staged the tree ended well."""
        if tree not in self._staged:
            state = await self._stage(tree).inspect()
            if state is not None and state.status == "exited" and state.exit_code == 0:
                self._staged.add(tree)
        return tree in self._staged

    async def stage(self, tree: str, bundle: bytes) -> None:
        """Unpack the bundle into the volume.

        Raises:
            ContractError: the bundle must not be unpacked.
        """
        if await self.has_code(tree):
            return
        container = self._stage(tree)
        order = await asyncio.to_thread(stage_order, self.code(tree), bundle)
        state, _ = await self._made(container, "stage", order)
        if state.exit_code == 0:
            self._staged.add(tree)
            return
        words = await _words(container, 2)
        await container.remove()
        raise (ContractError if state.exit_code == REFUSED else InfrastructureError)(words, code=state.exit_code)

    async def forget(self, tree: str, environment: str) -> None:
        """Make both anew when they are asked for next: somebody emptied the volume."""
        self._staged.discard(tree)
        await self._stage(tree).remove()
        for name in [name for name, known in self._known.items() if known.environment == environment]:
            del self._known[name]
            await Container(self._engine, name).remove()

    async def prepare(self, specification: Specification, lock: str | None, generation: int = 0) -> Prepared:
        """Return the environment, building it once however many ask.

        Raises:
            DependencyError: a requirement cannot be resolved or installed.
            VolumeChangedError: the code is no longer there.
        """
        if specification.isolation == "jit":
            return jit_prepared(specification, "/usr/local/bin/uv")
        image = await self.image()
        kind = of_generation(image, lock, generation)
        container = self._prepare(specification, lock, kind)
        if known := self._known.get(container.name):
            return known
        began = monotonic()
        state, made = await self._made(container, "prepare", self._prepare_order(specification, lock))
        if state.exit_code == NEEDS_BUILD:
            # The first one stays, and remembers that it has to be so.
            asked = (await _words(container, 1)).encode()
            container = self._prepare(specification, lock, f"{kind} built")
            state, made = await self._prepared_from_built(container, specification, lock, asked)
        if state.exit_code == 0:
            prepared = marks.prepared((await _words(container, 1)).encode())
            if prepared is not None:
                # Who asks next will have the lock of this time.
                known = structs.replace(prepared, prepare_s=0.0)
                self._known[self._prepare(specification, lock, kind).name] = known
                self._known[self._prepare(specification, prepared.lock, image).name] = known
                return structs.replace(prepared, prepare_s=round(monotonic() - began, 3) if made else 0.0)
        if state.exit_code == NOT_STAGED:
            await self.forget(specification.tree, "")
        raise await self._failure(container, state)

    async def delete(self, environments: Sequence[str]) -> dict[str, int]:
        """Delete environments that no run is in; those that are gone now, and the bytes that it freed."""
        said = await self._once("prepare", delete_order(environments, root=ROOT))
        freed = marks.deleted(said.encode()) or {}
        for name in [name for name, known in self._known.items() if known.environment in freed]:
            del self._known[name]
        await forget_prepared(self._engine, self._owner, freed)
        return freed

    async def delete_code(self, trees: Sequence[str]) -> None:
        """Delete staged code, and the containers that prove that it is there."""
        for tree in trees:
            self._staged.discard(tree)
            await self._stage(tree).remove()
        await self._once("stage", unstage_order([self.code(tree) for tree in trees]))

    async def _once(self, mode: str, order: bytes) -> str:
        """What a tool says whose work is deleting, in a container that does not stay."""
        # A name of its own each time: what it proves is true of one moment.
        container = Container(self._engine, f"fastflow-{mode}-{token_hex(16)}")
        try:
            state, _ = await self._made(container, mode, order)
            if state.exit_code != 0:
                raise InfrastructureError(f"nothing is deleted: {await _words(container, 2)}", code=state.exit_code)
            return await _words(container, 1)
        finally:
            await container.remove()

    async def _prepared_from_built(
        self, container: Container, specification: Specification, lock: str | None, asked: bytes
    ) -> tuple[State, bool]:
        """The same with wheels that are built now, in a container that sees nothing of ours and does not stay."""
        found = await container.inspect()
        if found is not None and found.status == "exited" and found.exit_code == 0:
            return found, False
        builder = Container(self._engine, container.name.replace("prepare", "build"))
        order = build_order(specification, lock, asked, root=BUILD_ROOT, uv="uv", env=self._settings)
        built, _ = await self._made(builder, "build", order)
        if built.exit_code != 0:
            raise await self._failure(builder, built)
        wheels = await builder.wheels()
        if not wheels:
            # Somebody else has used and removed it: what they prepared is as good.
            raise InfrastructureError(f"{builder.name} disappeared before its wheels were taken")
        order = self._prepare_order(specification, built_lock(wheels), wheels)
        try:
            return await self._made(container, "prepare", order)
        finally:
            await builder.remove()

    def _prepare_order(self, specification: Specification, lock: str | None, wheels: bytes = b"") -> bytes:
        code = self.code(specification.tree)
        return prepare_order(specification, lock, root=ROOT, uv="uv", code=code, env=self._settings, wheels=wheels)

    async def _failure(self, container: Container, state: State) -> DependencyError | InfrastructureError:
        """Why it ended, once it is removed so that it can be tried again."""
        words = await _words(container, 2)
        await container.remove()
        if state.exit_code == REFUSED:
            return DependencyError(words)
        if state.exit_code == NOT_STAGED:
            return VolumeChangedError(words)
        how = "" if state.exit_code == OUTAGE else "it ended unexpectedly: "  # uv's words say what did not answer
        return InfrastructureError(f"the environment cannot be prepared: {how}{words}", code=state.exit_code)

    def cache(self, specification: Specification) -> str:
        """Name of the volume that belongs to the specification's pipeline alone."""
        return f"fastflow-jit-{code_name(self._key, f'jit {specification.pipeline}')[:32]}"

    def _stage(self, tree: str) -> Container:
        # What it proves is true of one volume.
        name = code_name(self._key, f"{tree} {self._deployment.volume}")[:32]
        return Container(self._engine, f"fastflow-stage-{name}")

    def _prepare(self, specification: Specification, lock: str | None, image: str) -> Container:
        name = input_name(specification, lock, f"{image} {self._deployment.volume}")
        return Container(self._engine, f"fastflow-prepare-{name}")

    async def _made(self, container: Container, mode: str, order: bytes | Iterable[bytes]) -> tuple[State, bool]:
        """State of the tool's container once it has ended, and whether it did its work for this call."""
        async with self._turns[container.name]:
            for _ in range(_TRIES):
                made = await container.create(tool_body(self._deployment, mode, owner=self._owner))
                if made or await container.is_abandoned(_ABANDONED_S):
                    made = await self._order(container, order) or made
                state = await container.ended()
                if state is not None and state.status == "exited":
                    # Without its order it did nothing: whoever started it died at once.
                    if state.exit_code != OUTAGE or made:
                        return state, made
                    await container.remove()
        raise InfrastructureError(f"{container.name} disappears before it is done")

    async def _order(self, container: Container, order: bytes | Iterable[bytes]) -> bool:
        stream = await container.attach()
        if stream is None:
            return False
        try:
            if not await container.start():
                return False
            for piece in [order] if isinstance(order, bytes) else order:
                await stream.write(piece)
            async for _ in stream.read():
                pass
        finally:
            stream.close()
        return True


async def _words(container: Container, stream: int) -> str:
    parts = [content async for number, _, content in container.log(follow=False) if number == stream]
    return b"".join(parts).decode("utf-8", "replace").strip()
