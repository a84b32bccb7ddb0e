"""Attempts as processes of this machine, for where there is no container engine. They are NOT isolated from it."""

import asyncio
import logging
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import InfrastructureError
from msgspec import structs

from fastflow_runner.adapters.process.code import ProcessCode
from fastflow_runner.adapters.process.ends import ProcessEnds
from fastflow_runner.adapters.process.folder import ProcessFolder
from fastflow_runner.adapters.process.prepare import ProcessEnvironments
from fastflow_runner.adapters.process.spool import follow_spool
from fastflow_runner.adapters.process.start import command, environment, spawn, tell
from fastflow_runner.adapters.process.table import ProcessId, boot_id, ended, is_alive, kill_session, send
from fastflow_runner.adapters.process.tools import ProcessTools
from fastflow_runner.adapters.process.usage import machine_memory, usage_of
from fastflow_runner.adapters.process.verify import verify
from fastflow_runner.adapters.spoiled import tell_changed
from fastflow_runner.core import marks
from fastflow_runner.core.adoption import Adopted, Verified
from fastflow_runner.core.bounds import Room, default_memory
from fastflow_runner.core.orders import manifest_of, run_order
from fastflow_runner.core.tree_orders import code_name, seal_key
from fastflow_runner.core.usage import Usage
from fastflow_runner.ports import (
    AttemptRef,
    Exit,
    Found,
    Frame,
    Launch,
    NotAfterError,
    NotClosedError,
    Prepared,
    Started,
    TreeChangedError,
    VolumeChangedError,
)

T = TypeVar("T")
logger = logging.getLogger(__name__)
_NAME = re.compile(r"fastflow-(?P<run_id>.+)-(?P<attempt>[1-9][0-9]*)")
_START_S = 120.0
_POLL_S = 0.003
_LAST_WORDS_S = 5.0
_SAMPLE_S = 1.0
_READ_BYTES = 1 << 18
_THREADS = 32
_USUAL_ROOM = Room(usual_bytes=None)


class ProcessExecutor:
    """Each attempt is an entry program in a session of its own, which outlives this process."""

    kind: Literal["docker", "process"] = "process"

    def __init__(
        self,
        root: Path,
        *,
        uv: str,
        key: bytes,
        variables: Mapping[str, str],
        uv_settings: Mapping[str, str] | None = None,
        grace_s: float = 10.0,
        default_memory_bytes: int | None = None,
        room: Room = _USUAL_ROOM,
        tool_s: float = 900.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Use `root` for everything, `uv` as the binary, `key` for names of code folders.

        `variables` is this process's environment, of which attempts get the search path, the time zone, proxies and
        certificates; `uv_settings` go to uv, with credentials of package indexes if need be. No process of an attempt
        has more memory of its own than `default_memory_bytes`, unless its pipeline's limit is larger: half of the
        machine's unless it is given, as much as there is when it is 0. `room` is how much an
        attempt may keep below its own folder.
        """
        self._root = root.resolve()
        self._key = key
        self._env = environment(dict(variables))
        self._grace_s = grace_s
        self._room = room
        self._memory_bytes = default_memory(default_memory_bytes, machine_memory())
        self._clock = clock
        self._seal = seal_key(key)
        self._tools, self._adopted = ProcessTools(self._env, tool_s), Adopted()
        self._code = ProcessCode(self._root, self._tools, key)
        self._environments = ProcessEnvironments(self._root, uv, self._tools, uv_settings or {}, key=self._seal)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="process-executor")
        self._ends = ProcessEnds(clock)
        logger.warning(
            "the process executor does not isolate runs from this machine or from each other",
            extra={"action": "executor_not_isolated"},
        )

    async def delete_code(self, trees: Sequence[str]) -> None:
        """Delete staged code from this machine."""
        await self._thread(self._code.unstage, trees)

    async def delete(self, environments: Sequence[str]) -> dict[str, int]:
        """Delete environments from this machine."""
        return await self._thread(self._environments.delete, environments)

    async def keep(self) -> None:
        """Nothing: a process needs no preparation."""

    async def engine_id(self) -> str:
        """Boot id of this machine: processes do not survive it."""
        return boot_id()

    async def has_code(self, tree: str) -> bool:
        """True when the tree is staged completely, and sealed."""
        return await self._thread(self._code.has, tree)

    async def stage_code(self, tree: str, bundle: bytes) -> None:
        """Unpack the bundle unless it is there."""
        if not await self.has_code(tree):
            staged = await self._thread(self._code.stage, tree, bundle)
            self._heard(staged.sealed, staged.spoiled)

    async def prepare(
        self, specification: Specification, lock: str | None, *, generation: int = 0, within_s: float | None = None
    ) -> Prepared:
        """Return the environment, building it once however many ask."""
        folder = self._code.folder(specification.tree)
        prepared = await self._thread(self._environments.prepare, specification, lock, folder, generation, within_s)
        if prepared.prepare_s:
            self._heard(prepared.sealed, prepared.spoiled)
        return prepared

    async def verify(self, only: str = "") -> Verified:
        """Look at every byte of what was made, and set aside what has changed."""
        return await self._thread(verify, self._tools, self._root, self._seal, only)

    def _heard(self, sealed: dict[str, str], spoiled: Sequence[str]) -> None:
        self._adopted.seen(sealed)
        tell_changed(*spoiled)

    async def give_up(self, specification: Specification, lock: str | None, *, generation: int = 0) -> None:
        """End the processes that still make the environment, where nobody else here waits for them."""
        await self._thread(self._environments.give_up, specification, lock, generation)

    async def launch(self, launch: Launch) -> Started:
        """Start the attempt's entry program, or find it, and return once user code has started."""
        return await self._thread(self._launch, launch)

    async def found(self) -> list[Found]:
        """Every attempt that has a folder below the root."""
        result = []
        for path in sorted(self._runs.iterdir()) if self._runs.is_dir() else []:
            match = _NAME.fullmatch(path.name)
            state = ProcessFolder(path).state()
            if match and state != "absent":
                result.append(Found(ref=AttemptRef(run_id=match["run_id"], attempt=int(match["attempt"])), state=state))
        return result

    async def started(self, ref: AttemptRef) -> Started | None:
        """What the attempt's marker says."""
        return self._folder(ref).started()

    def frames(self, ref: AttemptRef, *, skip: int, follow: bool) -> AsyncIterator[Frame]:
        """Output of the attempt from frame `skip` on."""
        folder = self._folder(ref)
        return follow_spool(folder.spool, skip=skip, is_over=lambda: not follow or folder.state() != "running")

    async def usages(self, ref: AttemptRef) -> AsyncIterator[Usage]:
        """About once a second what the attempt's processes have used; their network is everybody's."""
        process = self._folder(ref).process()
        while process is not None and is_alive(process):
            usage = await self._thread(usage_of, process)
            if usage is not None:
                yield usage
            await asyncio.sleep(_SAMPLE_S)

    async def kept(self, ref: AttemptRef) -> AsyncIterator[tuple[int, bytes]]:
        """Content of an ended attempt's artifacts."""
        folder = self._folder(ref).kept
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            with path.open("rb") as file:
                yield int(path.name), b""
                while data := await self._thread(file.read, _READ_BYTES):
                    yield int(path.name), data

    async def wait(self, ref: AttemptRef, nonce: str) -> Exit:
        """Return how the attempt ended, waiting for it."""
        folder = self._folder(ref)
        process = folder.process()
        if process is None:
            return Exit(exit_code=None)
        await ended(process)
        await self._thread(kill_session, process, self._mark(folder))
        return self._ends.of(folder, process, nonce)

    async def stop(self, ref: AttemptRef, *, grace_s: float) -> None:
        """SIGTERM to user code, SIGKILL after the grace period; the entry program still writes its marker."""
        folder = self._folder(ref)
        process = folder.process()
        if process is None:
            return
        send(process, signal.SIGTERM)
        if not await ended(process, within_s=grace_s):
            await self._thread(partial(kill_session, process, self._mark(folder), spare_leader=True))
            if not await ended(process, within_s=_LAST_WORDS_S):
                send(process, signal.SIGKILL)
                await ended(process, within_s=_LAST_WORDS_S)
        await self._thread(kill_session, process, self._mark(folder))

    async def remove(self, ref: AttemptRef) -> None:
        """End what still runs of the attempt and delete its folder."""
        folder = self._folder(ref)
        if folder.path.is_dir():
            await self.stop(ref, grace_s=0.0)
            await self._thread(folder.remove)

    def close(self) -> None:
        """Give the threads back; attempts go on, and what is only being prepared ends."""
        self._tools.close()
        self._threads.shutdown(wait=False)

    @property
    def _runs(self) -> Path:
        return self._root / "runs"

    def _folder(self, ref: AttemptRef) -> ProcessFolder:
        return ProcessFolder(self._runs / ref.name)

    def _mark(self, folder: ProcessFolder) -> bytes:
        return f"FASTFLOW_ROUTE_FILE={folder.paths('').route_file}".encode()

    async def _thread(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    def _launch(self, launch: Launch) -> Started:
        if launch.specification.network != "internet":
            raise NotClosedError("its network is limited, and processes cannot be: its pool needs the Docker executor")
        folder = self._folder(launch.ref)
        with folder.locked():
            process = folder.process()
            if process is not None and (started := self._settled(folder, process)):
                return started
            # Whatever is here now never started user code, and never will.
            if self._clock() > launch.not_after.timestamp():
                raise NotAfterError("the lease ran out before user code was started", run=launch.ref.name)
            folder.clear()
            folder.make()
            process, stdin = spawn(command("run"), self._env, folder.log)
            folder.record(process)
            manifest = manifest_of(
                launch,
                executor=self.kind,
                container=f"{process.pid}:{process.start}",
                memory_bytes=self._memory_bytes
                and max(self._memory_bytes, launch.specification.limits.memory_bytes or 0),
            )
            if launch.specification.isolation == "jit":
                # uv fetches packages for it: that needs this machine's certificates and proxies.
                ours = {name: value for name, value in self._env.items() if name != "PATH"}
                launch = structs.replace(launch, env={**ours, **launch.env})
            paths = structs.replace(
                folder.paths(str(self._code.folder(launch.specification.tree))),
                cache=str(self._root / "jit" / code_name(self._key, launch.specification.pipeline)),
            )
            unseen = self._adopted.unseen(self._code.sealed(launch.specification.tree) | launch.prepared.sealed)
            tell(stdin, run_order(launch, paths, manifest, grace_s=self._grace_s, room=self._room, sealed=unseen))
            if started := self._settled(folder, process):
                self._adopted.seen(unseen)
                return started
            reason, detail = marks.refused(folder.marker("refused"))
            if reason == "not_after":
                raise NotAfterError(detail, run=launch.ref.name)
            if reason == "changed":
                tell_changed(detail)
                self._code.doubt(launch.specification.tree)
                self._environments.forget(launch.prepared.environment)
                raise TreeChangedError(detail, run=launch.ref.name)
            if reason in {"code", "interpreter"}:
                raise VolumeChangedError(detail, run=launch.ref.name)
            raise InfrastructureError(detail, run=launch.ref.name, reason=reason)

    def _settled(self, folder: ProcessFolder, process: ProcessId) -> Started | None:
        """Wait until the entry program has started user code, or has ended without."""
        give_up = time.monotonic() + _START_S
        while time.monotonic() < give_up:
            alive = is_alive(process)
            if started := folder.started():
                return started
            if not alive:
                return None
            time.sleep(_POLL_S)
        raise InfrastructureError("the entry program neither starts user code nor ends", path=str(folder.path))
