"""Network namespaces, each closed and held by a pause container: half of a container's start is making one.

A namespace serves one worker at a time, from before the worker is made until its container is gone; so it never serves
two live runs at once. A worker is whatever joins one: an attempt, what waits for one, or a tool that has a network.
It is closed before anybody joins it: the pause container shows nothing before that, and whoever gets no answer has no
namespace. One that a run has used is not handed on: its pause container, in which nothing of any run ever executes,
shows what the kernel knows of it, and where that is anything at all it is retired. So is one that was closed for one
worker alone. A pause container that was restarted holds another namespace under the same name; that is found out before
anybody gets an order in it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from secrets import token_hex

from fastflow_events.errors import InfrastructureError
from msgspec import Struct, structs

from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.adapters.docker.listed import Listed
from fastflow_runner.adapters.docker.look import shown
from fastflow_runner.core.closing import Closing, closed_to
from fastflow_runner.core.container_spec import Deployment, pause_body
from fastflow_runner.core.names import CONNECTED
from fastflow_runner.core.template import fill
from fastflow_runner.core.traces import is_unused
from fastflow_runner.ports import NotClosedError

logger = logging.getLogger(__name__)
_SPARE = ""
_CANNOT_CLOSE = 3
"""How a pause container ends where the kernel cannot hold its rules."""


class Net(Struct, frozen=True, kw_only=True):
    """One namespace."""

    place: str
    """What its name ends with: by chance, so that no other process of the runner's had it."""
    name: str
    id: str
    """Of the pause container."""
    life: str
    image: str

    @property
    def is_shared(self) -> bool:
        """True when it is closed as for every run, and not for one alone."""
        return not self.place.startswith("o")


class Nets:
    """All namespaces of one runner."""

    def __init__(
        self,
        engine: Engine,
        deployment: Deployment,
        *,
        owner: str,
        usual: Closing,
        beside: Callable[[], Sequence[IPv4Address | IPv6Address]] = tuple,
    ) -> None:
        """`usual` is how namespaces are closed that are not for one run alone, all of them to what is `beside` us."""
        self._usual = usual
        self._beside = beside
        self._engine = engine
        self._deployment = deployment
        self._owner = owner
        self._free: list[Net] = []
        self._held: dict[str, Net] = {}
        self._retired: list[Net] = []

    def held(self) -> frozenset[str]:
        """Names of the containers that have, or will have, a namespace of ours."""
        return frozenset(self._held)

    async def take(self, worker: str, *, shared: bool = True) -> Net | None:
        """A free one, for the container of this name, the same for one that has one; None when there is none.

        Not `shared`: only one that it has.
        """
        while worker in self._held or (shared and self._free):
            if worker not in self._held:
                self._held[worker] = self._free.pop()
            net = self._held[worker]
            if await self.is_alive(net):
                return net
            self.retire(worker)
        return None

    async def make(self, worker: str, closing: Closing | None = None) -> Net:
        """A new one, for the container of this name; with `closing` it is for that one alone.

        Raises:
            NotClosedError: the engine's kernel cannot close it.
            InfrastructureError: the engine refuses.
        """
        body = pause_body(self._deployment, closed_to(self._beside(), closing or self._usual), owner=self._owner)
        try:
            container = self._container(net := self._named(worker, closing))
            await container.create(body)
            await container.start()
            # What shows its tables now has closed the namespace in this very life.
            state = await container.inspect()
            if state is None or not await shown(container):
                raise await _why_not(container)
        except InfrastructureError:
            self.retire(worker)
            raise
        self._held[worker] = net = structs.replace(net, id=state.id, life=state.life, image=state.image)
        logger.info("a network is ready", extra={"action": "net_made", "net": net.name})
        return net

    async def spare(self) -> None:
        """Have a free one; where no worker waits, making it ahead is half of a container's start.

        Raises:
            InfrastructureError: the engine refuses.
        """
        if not self._free:
            await self.make(_SPARE)
            self.release(_SPARE)

    async def is_in_its_own(self, worker: Container, *, connected: bool) -> bool:
        """True when the container shares the namespace that is held for it, and that is what it was made as.

        Not `connected`: when it has no network.
        """
        if not connected:
            state = await worker.inspect()
            return state is not None and state.network == "none"
        if (net := self._held.get(worker.name)) is None:
            return False
        state, alive = await asyncio.gather(worker.inspect(), self.is_alive(net))
        return alive and state is not None and state.network == f"container:{net.id}"

    async def look(self, worker: str) -> None:
        """The container of this name is gone, and may have executed something: is its namespace as good as new?"""
        if (net := self._held.get(worker)) is None:
            return
        try:
            # The one that shows it may hold another one by now.
            seen = await shown(self._container(net)) if await self.is_alive(net) else ""
        except InfrastructureError:
            seen = ""
        (self.release if is_unused(seen) else self.retire)(worker)

    async def is_alive(self, net: Net) -> bool:
        """True when the namespace is the one that was made under this name."""
        state = await self._container(net).inspect()
        return state is not None and (state.status, state.id, state.life) == ("running", net.id, net.life)

    def renamed(self, worker: str, name: str) -> None:
        """The container that has a namespace bears another name now."""
        if net := self._held.pop(worker, None):
            self._held[name] = net

    def release(self, worker: str) -> None:
        """The container of this name is gone, or was never made, and has executed nothing of a run's."""
        if net := self._held.pop(worker, None):
            (self._free if net.is_shared else self._retired).append(net)

    def retire(self, worker: str) -> None:
        """The same, and its namespace is not used again."""
        if net := self._held.pop(worker, None):
            self._retired.append(net)

    def shrink(self, keep: int, image: str) -> None:
        """Retire free ones beyond a number, and those that are not of the image."""
        fit = [net for net in self._free if net.image == image or not image]
        self._retired += [net for net in self._free if net not in fit] + fit[keep:]
        self._free = fit[:keep]

    async def clean(self) -> None:
        """Remove what was retired.

        Raises:
            InfrastructureError: the engine does not answer.
        """
        await asyncio.gather(*(self._remove(net) for net in list(self._retired)))

    async def _remove(self, net: Net) -> None:
        await self._container(net).remove()
        if net in self._retired:
            self._retired.remove(net)

    async def adopt(self, found: Iterable[Listed], *, last: bool = False) -> None:
        """Take over what a process before this one left: where an attempt or tool lives is held, the rest looked at.

        With `last` nobody will want the rest any more.

        Raises:
            InfrastructureError: the engine does not answer.
        """
        found = list(found)
        lives = (other for other in found if other.state != "exited" and (other.ref or other.kind in CONNECTED))
        tenants = {other.network: other.name for other in lives}
        for pause in found:
            if pause.kind != "net":
                continue
            place = pause.name.rpartition("-")[2]
            state = await Container(self._engine, pause.name).inspect()
            if state is None or place in self._places():
                continue
            net = Net(place=place, name=pause.name, id=state.id, life=state.life, image=state.image)
            tenant = tenants.get(f"container:{state.id}")
            self._held[tenant or net.name] = net
            if not tenant and last:
                self.retire(net.name)
            elif not tenant:
                await self.look(net.name)

    def _places(self) -> set[str]:
        return {net.place for net in (*self._free, *self._held.values(), *self._retired)}

    def _named(self, worker: str, closing: Closing | None) -> Net:
        """A name that nobody has, held for the container of this name.

        A process before this one may have left others, and somebody may live in them: those are adopted, never used.
        """
        place = ("" if closing is None else "o") + token_hex(4)
        self._held[worker] = net = Net(place=place, name=self._name(place), id="", life="", image="")
        return net

    def _name(self, place: str) -> str:
        return fill(self._deployment.names.net, {"owner": self._owner, "place": place})

    def _container(self, net: Net) -> Container:
        return Container(self._engine, net.name)


async def _why_not(pause: Container) -> InfrastructureError:
    """Why it holds no closed namespace."""
    state = await pause.inspect()
    if state is not None and state.exit_code == _CANNOT_CLOSE:
        return NotClosedError(
            "the network of runs cannot be closed here: the engine's kernel takes no rules of nftables"
        )
    return InfrastructureError(f"{pause.name} does not show that its network is closed")
