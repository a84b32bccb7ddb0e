"""Keeps child processes running: who ends unasked is started again, later and later, and it is said aloud."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastflow_events.errors import FastflowError
from fastflow_events.service.tasks import background
from fastflow_events.service.waiting import is_set_within

from fastflow_cli.local.child import Child, backoff_s, end_of

Announce = Callable[[str], None]
LOOK_EVERY_S = 1.0
"""A child's end wakes the supervisor at once; this is for the signal that got lost."""
STEP_S = 0.02


class Supervisor:
    """The children of one installation, in the order in which they were started."""

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self.on_change: Callable[[], None] = lambda: None
        """Called whenever a child has another process id."""
        self._children: dict[str, Child] = {}
        self._ended = asyncio.Event()

    def start(
        self,
        name: str,
        spawn: "Callable[[], subprocess.Popen[bytes]]",
        *,
        running: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        """Start a child, unless it is `running` already, and keep it running; `spawn` must not wait for it."""
        self._children[name] = Child(name=name, spawn=spawn, process=running or spawn(), started_at=time.monotonic())

    def child(self, name: str) -> Child:
        """The child of that name."""
        return self._children[name]

    def pids(self) -> dict[str, int]:
        """Process id of each child that runs."""
        return {c.name: c.process.pid for c in self._children.values() if c.process is not None}

    async def stop(self, names: Sequence[str], *, grace_s: float) -> None:
        """End children with SIGTERM, all at once; who does not go within the grace period is killed."""
        chosen = [self._children[name] for name in names if name in self._children]
        for child in chosen:
            child.wanted = False
            child.terminate()
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline and any(child.is_running for child in chosen):  # noqa: ASYNC110 - signals get lost
            await asyncio.sleep(STEP_S)
        for child in chosen:
            if child.kill():
                self._announce(f"{child.name} did not stop within {grace_s:g} s and was killed")

    def kill_all(self) -> None:
        """End every child now."""
        for child in self._children.values():
            child.wanted = False
            child.kill()

    def restart(self, name: str) -> None:
        """Start a child that was stopped; it is kept running again."""
        child = self._children[name]
        child.wanted, child.failures, child.last_code = True, 0, None
        self._spawn(child)

    async def watch(self) -> None:
        """Notice ends and start again, for ever."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._ended.set)
        try:
            while True:
                self._ended.clear()
                for child in self._children.values():
                    self._look(child)
                due = [c.restart_at for c in self._children.values() if c.restart_at is not None]
                wait_s = min([LOOK_EVERY_S, *(max(0.0, at - time.monotonic()) for at in due)])
                await is_set_within(self._ended, wait_s)
        finally:
            loop.remove_signal_handler(signal.SIGCHLD)

    def _look(self, child: Child) -> None:
        if not child.wanted:
            return
        if child.restart_at is not None:
            if time.monotonic() >= child.restart_at:
                self._spawn(child)
        elif child.process is not None and (code := child.process.poll()) is not None:
            lived_s = time.monotonic() - child.started_at
            self._failed(child, f"{child.name} {end_of(code)} after {lived_s:.1f} s", lived_s)
            child.last_code = code

    def _spawn(self, child: Child) -> None:
        child.restart_at, child.started_at = None, time.monotonic()
        try:
            child.process = child.spawn()
        except (FastflowError, OSError) as exc:
            self._failed(child, f"{child.name} does not start: {exc}", 0.0)
        self.on_change()

    def _failed(self, child: Child, what: str, lived_s: float) -> None:
        child.process = None
        child.failed(lived_s)
        delay_s = backoff_s(child.failures)
        child.restart_at = time.monotonic() + delay_s
        self._announce(f"{what}; starting it again in {delay_s:g} s")


@asynccontextmanager
async def supervising(announce: Announce) -> AsyncIterator[Supervisor]:
    """A supervisor that watches while the block runs; stopping the children in order is the block's business.

    Whatever is still there when the block is left is killed.
    """
    supervisor = Supervisor(announce)
    try:
        async with background(supervisor.watch()):
            yield supervisor
    finally:
        supervisor.kill_all()
