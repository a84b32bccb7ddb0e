"""What tests of standby workers share: an executor whose pool is kept, and a look past the proxy."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from docker import DockerClient
from docker.models.containers import Container as Seen
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.service.tasks import background
from fastflow_events.testing.eventually import eventually
from fastflow_rules.definition.reaching import Network
from msgspec import structs

from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import Exit, Launch
from fastflow_runner.testing.builders import INSTALLATION, a_launch, a_specification, bundle_of
from fastflow_runner.testing.executor_contract import read_all

OWNER = f"standby-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")
NAMESPACE = "import os\nprint(os.readlink('/proc/self/ns/net'))"
"""A script that says which network namespace it is in."""


@asynccontextmanager
async def kept(
    url: str,
    *,
    standby: int = 2,
    key: bytes = b"key",
    owner: str = OWNER,
    deployment: Deployment = DEPLOYMENT,
    opened: str = "",
    closed: str = "",
) -> AsyncGenerator[DockerExecutor]:
    """An executor whose pool is kept, with one worker waiting unless there shall be none."""
    executor = DockerExecutor(
        url, deployment=deployment, owner=owner, key=key, grace_s=1.0, standby=standby, opened=opened, closed=closed
    )
    async with background(executor.keep()):
        if standby:
            await waits(executor)
        yield executor
    executor.close()


async def waits(executor: DockerExecutor, number: int = 1) -> None:
    """Return once that many workers wait."""
    await eventually(lambda: executor.waiting >= number, within_s=30)


async def a_run(
    executor: DockerExecutor, script: str = NAMESPACE, limits: Limits | None = None, network: Network = "internet"
) -> Launch:
    """A launch of a script whose code and environment are there."""
    tree, bundle = bundle_of({"main.py": script})
    await executor.stage_code(tree, bundle)
    specification = structs.replace(a_specification(tree, limits=limits or Limits()), network=network)
    return a_launch(specification, await executor.prepare(specification, None))


async def executed(executor: DockerExecutor, launch: Launch) -> tuple[str, Exit]:
    """What the attempt wrote to standard output, and how it ended."""
    async with asyncio.timeout(60):
        await executor.launch(launch)
        end = await executor.wait(launch.ref, launch.nonce)
        out, err = await read_all(executor, launch)
        assert (err, end.marker_code) == (b"", 0)
        await executor.remove(launch.ref)
        return out.decode().strip(), end


def seen(person: DockerClient, kind: str) -> list[Seen]:
    """Containers of this module's runner, whatever their state."""
    found: list[Seen] = person.containers.list(
        all=True, filters={"label": f"fastflow.runner={OWNER}"}, ignore_removed=True
    )
    return [
        container
        for container in found
        if (container.name or "").startswith(f"{DEPLOYMENT.names.prefix}{kind}-{OWNER}-")
    ]


def image_of(container: Seen) -> str:
    """Id of the image a container was made from."""
    return str(container.attrs["Image"])


def standby(person: DockerClient) -> Seen:
    """The one worker that runs."""
    [worker] = [container for container in seen(person, "standby") if container.status == "running"]
    return worker
