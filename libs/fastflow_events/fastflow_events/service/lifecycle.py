"""A service: what it needs is open and its broker takes messages, until somebody says stop."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from faststream.nats import NatsBroker

from fastflow_events.service.tasks import Work

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Service:
    """A broker within its surroundings.

    FastStream's own application looks ten times a second whether it shall stop, and never ends when that was said
    before its broker had started.
    """

    def __init__(
        self,
        broker: NatsBroker,
        surroundings: Callable[[], AbstractAsyncContextManager[None]],
        work: Work | None = None,
    ) -> None:
        """`work` is told when the broker has started, which readiness waits for as for the loops."""
        self._broker = broker
        self._work_of = work or Work()
        self._surroundings = surroundings
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Open, take messages until SIGTERM, SIGINT or `exit`, close in reverse.

        Raises:
            FastflowError: something the service needs failed.
        """
        loop, opened = asyncio.get_running_loop(), asyncio.Event()
        work = asyncio.ensure_future(self._work(opened))

        def stop() -> None:
            self.exit()
            if not opened.is_set():
                work.cancel()  # nothing is in hand yet, and who it waits for may never come

        for number in SIGNALS:
            loop.add_signal_handler(number, stop)
        try:
            await work
        except asyncio.CancelledError:
            if not (self._stop.is_set() and work.cancelled()):
                raise
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def exit(self) -> None:
        """Ask it to stop."""
        self._stop.set()

    async def _work(self, opened: asyncio.Event) -> None:
        started = self._work_of.expect("broker")
        async with self._surroundings(), self._broker:
            await self._broker.start()
            started()
            opened.set()
            await self._stop.wait()
