"""What the engine lists of one runner: its attempts, standby workers and pause containers, or its tools."""

from typing import Literal

from msgspec import Struct, json

from fastflow_runner.adapters.docker.container import expect, settled
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import AttemptRef


class Listed(Struct, frozen=True, kw_only=True):
    """One container of the runner."""

    name: str
    kind: str
    """`run`, `net`, `standby` or a tool's mode."""
    ref: AttemptRef | None
    """The attempt it is; None when it is something else."""
    id: str
    state: Literal["created", "running", "exited"]
    network: str
    """`container:` and an id where it shares another one's."""
    created_at: float
    """Seconds since 1970, by the engine's clock."""


class _Host(Struct, rename="pascal"):
    network_mode: str = ""


class _Entry(Struct, rename="pascal"):
    id: str
    names: list[str]
    state: str
    host_config: _Host
    created: float


async def listed(engine: Engine, deployment: Deployment, what: Literal["list", "tools"] = "list") -> list[Listed]:
    """Every container of the deployment's runner, whatever its state; `tools` are those that stage, prepare and build.

    Anybody at the engine may make containers with our labels: what does not bear a name of ours, too, is left out.

    Raises:
        InfrastructureError: the engine does not answer.
    """
    answer = await engine.call(what, owner=deployment.owner)
    expect(answer, 200)
    names = deployment.names
    return [
        Listed(
            name=name,
            kind=kind,
            ref=names.ref(name),
            id=entry.id,
            state=settled(entry.state),
            network=entry.host_config.network_mode,
            created_at=entry.created,
        )
        for entry in json.decode(answer.body, type=list[_Entry])
        if entry.names and (kind := names.kind(name := entry.names[0].removeprefix("/")))
    ]
