"""Bells: who waits for a change is woken, then looks for itself; a bell carries no data and may ring in vain."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress


class Changes:
    """How far the read model is, and who wants to know when a run changes."""

    def __init__(self) -> None:
        self.seq = 0
        """Stream position of the last fact in committed rows."""
        self.of_pipelines = 0
        """How often committed rows of pipelines have changed."""
        self._of_run: dict[str, set[asyncio.Event]] = {}
        self._any: set[asyncio.Event] = set()

    def ring(self, seq: int, run_ids: Iterable[str], *, pipelines: bool = False) -> None:
        """Rows up to `seq` are committed; `run_ids` are those that changed, and perhaps those of pipelines."""
        self.seq = seq
        self.of_pipelines += pipelines
        for run_id in run_ids:
            for event in self._of_run.get(run_id, ()):
                event.set()
        for event in self._any:
            event.set()

    @contextmanager
    def listen(self, run_id: str, event: asyncio.Event) -> Iterator[None]:
        """Set `event` whenever the run's row changes."""
        listeners = self._of_run.setdefault(run_id, set())
        listeners.add(event)
        try:
            yield
        finally:
            listeners.discard(event)
            if not listeners:
                self._of_run.pop(run_id, None)

    async def reached(self, seq: int, *, within_s: float) -> bool:
        """Wait until facts up to `seq` are in the rows; False when that takes longer."""
        event = asyncio.Event()
        self._any.add(event)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    while self.seq < seq:
                        event.clear()
                        await event.wait()
            return self.seq >= seq
        finally:
            self._any.discard(event)
