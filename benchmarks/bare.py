"""The same scripts without us: `docker run … uv run main.py`, or `uv run main.py` where there is no engine."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastflow_cli.local.services import WORKER_IMAGE, search_path
from msgspec import Struct

from benchmarks.measure import CannotMeasureError
from benchmarks.scripts import PACKAGES
from benchmarks.system import System

LINE_BYTES = 1 << 20


class Bare(Struct, frozen=True):
    """How a script is run on this executor's engine."""

    prefix: tuple[str, ...]
    """Command line up to uv's own arguments; `{folder}` is the script's."""
    env: Mapping[str, str]
    label: str
    system: System

    def command(self, pipeline: str, *options: str) -> list[str]:
        """Command line for a pipeline's script; `options` take the place of `--rm`."""
        folder = str(self.system.code / pipeline)
        words = [word.replace("{folder}", folder) for word in self.prefix]
        if options:
            words[words.index("--rm")] = options[0]
            words[3:3] = options[1:]
        packages = ["--with-requirements", "requirements.txt"] if pipeline == PACKAGES else []
        return [*words, *packages, "main.py"]

    def named(self, pipeline: str) -> str:
        """The command in short."""
        return f"{self.label} {'--with-requirements requirements.txt ' if pipeline == PACKAGES else ''}main.py"

    async def start(self, command: list[str], folder: str = ".") -> asyncio.subprocess.Process:
        """Start a command whose standard output is ours to read."""
        return await asyncio.create_subprocess_exec(
            *command,
            env=dict(self.env),
            cwd=self.system.code / folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LINE_BYTES,
        )

    async def first_line(self, pipeline: str) -> float:
        """Seconds from the command to its first line; returns when it has ended."""
        began = time.perf_counter()
        process = await self.start(self.command(pipeline), pipeline)
        assert process.stdout is not None
        line = await process.stdout.readline()
        seen = time.perf_counter()
        if await process.wait() != 0 or not line:
            raise CannotMeasureError(f"the baseline failed: {' '.join(self.command(pipeline))}")
        return seen - began

    async def finish(self, pipeline: str) -> None:
        """Run it to its end."""
        await self.first_line(pipeline)


@asynccontextmanager
async def bare(system: System) -> AsyncIterator[Bare]:
    """The baseline of an installation, with a cache of its own that is removed afterwards.

    Raises:
        CannotMeasureError: there is no docker command, or no uv.
    """
    if system.engine is None:
        uv = shutil.which("uv", path=search_path(os.environ))
        if uv is None:
            raise CannotMeasureError("the baseline needs uv on PATH")
        yield Bare((uv, "run", "--no-project", "--python", "3.11"), os.environ, "uv run", system)
        return
    docker, volume = shutil.which("docker"), f"fastflow-bench-{os.getpid()}"
    if docker is None:
        raise CannotMeasureError("the baseline needs the docker command on PATH")
    settings = [part for name in sorted(os.environ) if name.startswith("UV_") for part in ("-e", name)]
    mounts = ("-v", "{folder}:/app:ro", "-v", f"{volume}:/cache")
    variables = (*settings, "-e", "UV_CACHE_DIR=/cache/uv")
    words = (docker, "run", "--rm", *mounts, *variables, "--entrypoint", "uv", WORKER_IMAGE, "run")
    known = Bare(words, {**os.environ, "DOCKER_HOST": system.engine.address.url}, "docker run … uv run", system)
    try:
        yield known
    finally:
        await (await known.start([docker, "volume", "rm", "-f", volume])).wait()
