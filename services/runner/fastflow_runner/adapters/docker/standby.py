"""One standby worker: a started container whose entry program waits on its standard input for an order.

It is single use. What closes the connection to its standard input, this process's death included, ends it.
"""

import asyncio
from typing import Literal

from msgspec import Struct

from fastflow_runner.adapters.docker.container import Container, expect
from fastflow_runner.adapters.docker.engine import Engine, Stream
from fastflow_runner.adapters.docker.nets import Net
from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.container_spec import Deployment, run_body


class Worker(Struct, frozen=True, kw_only=True):
    """One that waits."""

    name: str
    serial: str
    net: Net
    stream: Stream
    image: str
    bounds: Bounds
    born: float
    """By the clock of the event loop."""


async def make(
    engine: Engine, deployment: Deployment, *, owner: str, name: str, serial: str, net: Net, bounds: Bounds
) -> Worker:
    """A started worker in the namespace.

    Raises:
        ImageMissingError: the worker image is not on the engine.
        InfrastructureError: it does not start; what is left of it ends by itself.
    """
    container = Container(engine, name)
    await container.create(run_body(deployment, bounds, owner=owner, place=net.place))
    stream = await container.attached()
    try:
        await container.start()
        state = await container.running()
    except BaseException:
        stream.close()
        raise
    born = asyncio.get_running_loop().time()
    return Worker(name=name, serial=serial, net=net, stream=stream, image=state.image, bounds=bounds, born=born)


async def rename(engine: Engine, worker: Worker, run: str, *, owner: str) -> Literal["renamed", "taken", "gone"]:
    """Give the worker the attempt's name; `taken` when another container bears it.

    Raises:
        InfrastructureError: nobody knows what it is called now.
    """
    answer = await engine.call("rename", owner=owner, serial=worker.serial, run=run)
    match answer.status:
        case 409:
            return "taken"
        case 404:
            return "gone"
        case _:
            expect(answer, 204)
            return "renamed"
