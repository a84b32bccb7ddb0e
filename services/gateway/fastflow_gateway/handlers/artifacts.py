"""What runs left behind, and what they may use."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

from fastflow_events.aggregates.run.events import RunArtifactStored, RunDispatched, RunStarted
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.errors import NotFoundError
from fastflow_events.instants import later
from fastflow_events.log import EventLog
from fastflow_events.nats.topology import ARTIFACTS_AGE_S
from msgspec.structs import replace

from fastflow_gateway.core.refusals import AttemptLeftNoFile, FileExpired, RunLeftNoFile
from fastflow_gateway.handlers.runs import history_of_run
from fastflow_gateway.ports import Artifacts


class Left(NamedTuple):
    """A file that an attempt left behind."""

    attempt: int
    path: str
    size_bytes: int
    sha256: str
    stored_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When the store forgets it."""
        return later(self.stored_at, ARTIFACTS_AGE_S)


async def artifacts_of_run(log: EventLog, run_id: str) -> list[Left]:
    """Everything the run's attempts left behind, in the order in which it was stored.

    Raises:
        NotFoundError: there is no such run.
    """
    history = await history_of_run(log, run_id)
    return [
        Left(fact.attempt, fact.path, fact.size_bytes, fact.sha256, recorded.at)
        for recorded in history.recorded
        if isinstance(fact := recorded.fact, RunArtifactStored)
    ]


async def find_left(log: EventLog, run_id: str, path: str, attempt: int | None) -> Left:
    """One file; without an attempt that of the newest one that left it.

    Raises:
        NotFoundError: there is no such run, or it left no such file.
    """
    found = [left for left in await artifacts_of_run(log, run_id) if left.path == path]
    chosen = [left for left in found if attempt in (None, left.attempt)]
    if not chosen:
        raise NotFoundError(RunLeftNoFile() if attempt is None else AttemptLeftNoFile(attempt), file=path[:300])
    return max(chosen, key=lambda left: left.attempt)


async def open_left(artifacts: Artifacts, run_id: str, left: Left) -> AsyncIterator[bytes]:
    """Its bytes.

    Raises:
        NotFoundError: it is not stored any more.
    """
    pieces = await artifacts.open(run_id, left.attempt, left.path, left.sha256)
    if pieces is None:
        days = ARTIFACTS_AGE_S / 86_400
        raise NotFoundError(FileExpired(days))
    return pieces


async def limits_of_run(log: EventLog, run_id: str) -> Limits | None:
    """What the run may use, as far as its newest attempt is known to have been given it; None before it was dispatched.

    Raises:
        NotFoundError: there is no such run.
    """
    history = await history_of_run(log, run_id)
    limits = next((fact.specification.limits for fact in history.facts if isinstance(fact, RunDispatched)), None)
    given = [fact.manifest for fact in history.facts if isinstance(fact, RunStarted)]
    if limits is None or not given:
        return limits
    last = given[-1]
    return replace(
        limits,
        memory_bytes=last.memory_bytes or limits.memory_bytes,
        cpus=last.cpus or limits.cpus,
        disk_bytes=last.disk_bytes or limits.disk_bytes,
    )
