"""What the engine lists of one runner: its attempts, standby workers and pause containers, or its tools."""

import re
from typing import Literal

from msgspec import Struct, json

from fastflow_runner.adapters.docker_container import expect, settled
from fastflow_runner.adapters.docker_engine import Engine
from fastflow_runner.ports import AttemptRef

_RUN = re.compile(r"fastflow-(?P<run_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<attempt>[1-9][0-9]*)")


class Listed(Struct, frozen=True, kw_only=True):
    """One container that bears a label of the runner."""

    name: str
    id: str
    state: Literal["created", "running", "exited"]
    network: str
    """`container:` and an id where it shares another one's."""
    created_at: float
    """Seconds since 1970, by the engine's clock."""

    @property
    def ref(self) -> AttemptRef | None:
        """The attempt it is; None when it is something else."""
        match = _RUN.fullmatch(self.name)
        return AttemptRef(run_id=match["run_id"], attempt=int(match["attempt"])) if match else None


class _Host(Struct, rename="pascal"):
    network_mode: str = ""


class _Entry(Struct, rename="pascal"):
    id: str
    names: list[str]
    state: str
    host_config: _Host
    created: float


async def listed(engine: Engine, owner: str, what: Literal["list", "tools"] = "list") -> list[Listed]:
    """Every container with the owner's label, whatever its state; `tools` are those that stage, prepare and build.

    Raises:
        InfrastructureError: the engine does not answer.
    """
    answer = await engine.call(what, owner=owner)
    expect(answer, 200)
    return [
        Listed(
            name=entry.names[0].removeprefix("/"),
            id=entry.id,
            state=settled(entry.state),
            network=entry.host_config.network_mode,
            created_at=entry.created,
        )
        for entry in json.decode(answer.body, type=list[_Entry])
        if entry.names
    ]
