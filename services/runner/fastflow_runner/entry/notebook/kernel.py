"""The process in which a notebook's cells are executed: the same interpreter, reached by sockets in a folder."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

NAME = "python3"
_WORDS_BYTES = 16_384
_CHUNK_BYTES = 65_536
_LAST_WORDS_S = 10.0
"""How long a kernel whose notebook is done may take to leave by itself, with what it registered for its end."""


class OwnInterpreter(KernelSpecManager):
    """Knows one kernel, whatever the notebook or the machine call theirs: the environment's own."""

    def get_kernel_spec(self, kernel_name: str) -> Any:
        """Start ipykernel by this interpreter."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", name=kernel_name)


class Kernel:
    """One kernel, not started yet, with everything of it in a folder of its own below `scratch`."""

    def __init__(self, scratch: str) -> None:
        self._folder = os.path.join(scratch, f".kernel-{os.urandom(4).hex()}")  # noqa: PTH118 - no pathlib here
        os.makedirs(self._folder, mode=0o700)  # noqa: PTH103
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            os.environ.setdefault(name, os.path.join(self._folder, name.lower()))  # noqa: PTH118
        # Else every kernel begins with a warning about a debugger that nobody asked for.
        os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        self._words, self._tail = -1, b""
        self.manager = AsyncKernelManager(
            kernel_name=NAME,
            kernel_spec_manager=OwnInterpreter(),
            connection_file=os.path.join(self._folder, "connection.json"),  # noqa: PTH118
            transport="ipc",
            # Relative, because the name of a socket may have about a hundred bytes only.
            ip=os.path.relpath(os.path.join(self._folder, "s")),  # noqa: PTH118
            shutdown_wait_time=_LAST_WORDS_S,
        )

    async def start(self, start: Callable[..., Awaitable[None]]) -> None:
        """Have it started, with ears for what it says elsewhere than in its messages.

        It sends messages of what is written past Python, by a program a cell calls for instance, and writes the same
        where it would stand without it: that must not be heard twice.
        """
        self._words, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(write, True)
        try:
            await start(stdout=subprocess.DEVNULL, stderr=write)
        finally:
            os.close(write)
            self._spare_us()
        asyncio.get_running_loop().add_reader(self._words, self._hear)

    def _spare_us(self) -> None:
        """See to it that who signals the kernel's group does not signal ours.

        A SIGTERM to our group may meet the kernel's process before it has a session of its own. Then it is dead, and
        the group it was asked for is the one it was born into.
        """
        provisioner = self.manager.provisioner
        if provisioner is not None and provisioner.pgid == os.getpgrp():
            provisioner.pgid = None

    def _hear(self) -> bool:
        """Keep the end of it; False when nothing was there."""
        try:
            data = os.read(self._words, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        self._tail = (self._tail + data)[-_WORDS_BYTES:]
        if not data:
            asyncio.get_running_loop().remove_reader(self._words)
        return bool(data)

    def last_words(self) -> str:
        """The end of what it wrote beside its messages."""
        while self._hear():
            pass
        return self._tail.decode("utf-8", "backslashreplace")

    async def interrupt(self) -> None:
        """What Ctrl-C does."""
        if self.manager.has_kernel:
            await self.manager.interrupt_kernel()

    async def status(self, *, within_s: float) -> int | None:
        """Exit code, or minus the signal, of a kernel that has ended; None for one that does not."""
        if self.manager.provisioner is None:
            return None
        ending: asyncio.Future[int] = asyncio.ensure_future(self.manager.provisioner.wait())
        await asyncio.wait((ending,), timeout=within_s)
        if ending.done():
            return ending.result()
        ending.cancel()
        return None

    async def end(self, *, now: bool) -> None:
        """End it, if it still runs, and remove what it left."""
        try:
            if now and self.manager.has_kernel:
                await self.manager.provisioner.kill()
            elif self.manager.has_kernel:
                await self.manager.shutdown_kernel()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
