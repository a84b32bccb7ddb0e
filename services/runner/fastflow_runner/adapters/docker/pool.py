"""The pool of standby workers: what waits, how an attempt takes one, how one is made and thrown away.

```text
take:  rename | namespace still the same | image still the same -> limits, where they differ -> the stream for the order
make:  namespace -> create -> attach -> start
```
Whatever goes wrong with a worker, its attempt gets a container of its own instead: the cold path.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from secrets import token_hex

from fastflow_runner.adapters.docker import standby
from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.engine import Engine, Stream
from fastflow_runner.adapters.docker.listed import listed
from fastflow_runner.adapters.docker.machine import addresses_beside
from fastflow_runner.adapters.docker.nets import Nets
from fastflow_runner.adapters.docker.standby import Worker
from fastflow_runner.core.bounds import Bounds, can_become
from fastflow_runner.core.closing import Closing
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.pool import Start
from fastflow_runner.core.template import fill


class Pool:
    """The standby workers of one runner; it is empty until somebody keeps it."""

    def __init__(
        self, engine: Engine, deployment: Deployment, *, owner: str, usual: Closing, passed: Callable[[str], None]
    ) -> None:
        """`usual` is how the networks of runs are closed whose pipelines say nothing about it.

        `passed` hears of each step on an attempt's way to its worker.
        """
        self._engine = engine
        self._deployment = deployment
        self._owner = owner
        self._passed = passed
        self._busy: set[str] = set()
        """Names of containers that are being made, taken or started."""
        beside = partial(addresses_beside, engine.url)
        self.nets = Nets(engine, deployment, owner=owner, usual=usual, beside=beside)
        self.waiting: list[Worker] = []
        self.starts: deque[Start] = deque(maxlen=200)
        self.starting = 0
        """Attempts that are being started."""
        self.last_start = float("-inf")
        self.image = ""
        """Id of the image that workers must have; empty until somebody has asked."""
        self.bell = asyncio.Event()
        """Something has changed that its keeper may want to see."""

    @contextmanager
    def start_of(self, run: str, bounds: Bounds) -> Iterator[None]:
        """While an attempt starts nothing is made, and its namespace is not taken for forgotten."""
        self._busy.add(run)
        self.starting += 1
        self.starts.append(Start(_now(), bounds))
        try:
            yield
        finally:
            self._busy.discard(run)
            self.starting -= 1
            self.last_start = _now()
            self.bell.set()

    @contextmanager
    def work_of(self, tool: str) -> Iterator[None]:
        """While a tool is made and at work, its namespace is not taken for forgotten."""
        self._busy.add(tool)
        try:
            yield
        finally:
            self._busy.discard(tool)

    async def take(self, run: str, bounds: Bounds, image: str) -> Stream | None:
        """Standard input and output of a worker that bears the attempt's name now; None: use the cold path.

        Raises:
            InfrastructureError: the engine does not answer; the worker ends by itself, whatever it is called now.
        """
        self.image = image
        while (worker := self._choose(bounds)) is not None:
            self.waiting.remove(worker)
            self._busy.add(worker.name)
            self._passed("standby_chosen")
            try:
                renamed, alive = await asyncio.gather(
                    standby.rename(self._engine, worker, run, owner=self._owner), self._is_whole(worker)
                )
                if renamed == "taken":
                    self.waiting.append(worker)
                    return None
                if renamed == "renamed":
                    self.nets.renamed(worker.name, run)
                    self._passed("standby_renamed")
                    if alive and (worker.bounds == bounds or await Container(self._engine, run).update(bounds)):
                        self._passed("standby_updated")
                        return worker.stream
                    await self._end(worker, run, reuse=alive)
                    return None
                await self._end(worker, worker.name, reuse=alive)
            except BaseException:
                worker.stream.close()
                raise
            finally:
                self._busy.discard(worker.name)
        return None

    async def place(self, run: str, closing: Closing | None, *, new: bool) -> str:
        """Where a container that is made on demand joins; with `closing` for it alone, `new` is one that nobody had.

        Raises:
            InfrastructureError: there is none.
        """
        net = None if new else await self.nets.take(run, shared=closing is None)
        return (net or await self.nets.make(run, closing)).place

    async def ended(self, run: str) -> None:
        """The attempt's container is gone, and may have executed something; its namespace is looked at."""
        await self.nets.look(run)
        self.bell.set()

    def gone(self, run: str, *, reuse: bool = True) -> None:
        """The attempt's container is gone and executed nothing; its namespace is free, or of no use any more."""
        (self.nets.release if reuse else self.nets.retire)(run)
        self.bell.set()

    async def make(self, bounds: Bounds) -> None:
        """Have one more.

        Raises:
            InfrastructureError: it cannot be made now.
        """
        serial = token_hex(4)
        name = fill(self._deployment.names.standby, {"owner": self._owner, "serial": serial})
        self._busy.add(name)
        try:
            net = await self.nets.take(name) or await self.nets.make(name)
            try:
                worker = await standby.make(
                    self._engine, self._deployment, owner=self._owner, serial=serial, name=name, net=net, bounds=bounds
                )
            except BaseException:
                # The next sweep removes what there is of it.
                self.nets.retire(name)
                raise
            self.waiting.append(worker)
        finally:
            self._busy.discard(name)

    async def drop(self, worker: Worker) -> None:
        """Throw one away that waits; nothing, when it was taken meanwhile."""
        if worker in self.waiting:
            self.waiting.remove(worker)
            await self._end(worker, worker.name, reuse=True)

    async def sweep(self, *, first: bool = False, last: bool = False) -> None:
        """Set what the engine has against what is known here; `first` takes over from a process before this one.

        With the `last` one no namespace is wanted any more, so none is looked at.

        Raises:
            InfrastructureError: the engine does not answer.
        """
        before = self.nets.held() - self._busy - {worker.name for worker in self.waiting}
        runs, tools = await asyncio.gather(
            listed(self._engine, self._deployment), listed(self._engine, self._deployment, "tools")
        )
        found = [*runs, *tools]
        forgotten = {other.name for other in found if other.kind == "standby" and not self._knows(other.name)}
        await asyncio.gather(*(Container(self._engine, name).remove() for name in forgotten))
        if first:
            await self.nets.adopt(found, last=last)
        # A pause container lives in its own namespace, but nobody else does because of that.
        living = {other.name for other in found if other.kind != "net" and other.state != "exited"}
        for name in before - (living - forgotten):
            if last and not self._knows(name):
                self.nets.retire(name)
            elif not self._knows(name):
                await self.nets.look(name)

    async def _is_whole(self, worker: Worker) -> bool:
        """True when the namespace is the one that it was made in."""
        return await self.nets.is_alive(worker.net)

    def _knows(self, name: str) -> bool:
        return name in self._busy or any(worker.name == name for worker in self.waiting)

    def _choose(self, bounds: Bounds) -> Worker | None:
        fit = [worker for worker in self.waiting if worker.image == self.image and not worker.stream.is_cut()]
        exact = [worker for worker in fit if worker.bounds == bounds]
        return next(iter(exact or (worker for worker in fit if can_become(worker.bounds, bounds))), None)

    async def _end(self, worker: Worker, name: str, *, reuse: bool) -> None:
        worker.stream.close()
        await Container(self._engine, name).remove()
        self.gone(name, reuse=reuse)


def _now() -> float:
    return asyncio.get_running_loop().time()
