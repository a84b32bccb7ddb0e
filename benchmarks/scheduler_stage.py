"""A scheduler as it is shipped, a process of its own on a bus of its own, and what its log holds."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from fastflow_events import subjects
from fastflow_events.fact import Fact
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.direct_get import Stored, get_all, get_last
from fastflow_events.nats.leases import Heartbeat, beat
from fastflow_events.nats.topology import EVENTS
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.service.clock import utc_now
from fastflow_events.service.settings import Settings
from fastflow_events.testing import builders
from fastflow_events.testing.nats_server import nats_server
from nats.aio.client import Client

from benchmarks.measure import CannotMeasureError
from benchmarks.stories import append, write

WITHIN_S = 120.0
LOOK_EVERY_S = 0.1
REQUESTED = subjects.event("run", fact="requested")
DISPATCHED = subjects.event("run", fact="dispatched", scope=subjects.ANY)


class Stage(NamedTuple):
    """One scheduler with its log."""

    nc: Client
    pid: int

    async def mark(self) -> int:
        """Position of the newest fact."""
        last = await get_last(self.nc, EVENTS, subject=subjects.EVENTS)
        return last.seq if last else 0

    async def found(self, subject: str, *, after: int, count: int) -> list[Stored]:
        """The next facts on a subject, as soon as there are so many.

        Raises:
            CannotMeasureError: they do not come in time.
        """
        found: list[Stored] = []
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while len(found) < count:
            if asyncio.get_running_loop().time() > deadline:
                raise CannotMeasureError(f"{len(found)} of {count} facts on {subject} after {WITHIN_S:g} s")
            await asyncio.sleep(LOOK_EVERY_S)
            found += [s async for s in get_all(self.nc, EVENTS, subject=subject, after_seq=max(after, _end(found)))]
        return found

    async def slots(self, number: int) -> None:
        """A runner with so many slots is alive; it takes nothing."""
        alive = Heartbeat(
            runner="runner-1",
            incarnation="i1",
            engine="e1",
            executor="process",
            slots=number,
            running=0,
            pools=("default",),
            version="0",
            at=utc_now(),
        )
        await beat(self.nc, alive)

    async def pipelines(self, definitions: Iterable[tuple[str, dict[str, object]]]) -> None:
        """Discover these pipelines."""
        await append(self.nc, [recorded for name, result in definitions for recorded in _discovered(name, result)])

    async def decided(self, name: str) -> None:
        """Return when the scheduler has caught up and decides: a run that can never start is refused."""
        after = await self.mark()
        request = builders.run_requested(pipeline="nobody")
        await append(self.nc, [_recorded("run", f"sentinel-{name}", 1, request)])
        await self.found(subjects.event("run", id=f"sentinel-{name}", fact="rejected"), after=after, count=1)


@asynccontextmanager
async def stage(folder: Path, *, history: int = 0) -> AsyncIterator[Stage]:
    """A scheduler that has caught up with the stories of `history` runs and has no runner."""
    folder.mkdir()
    with nats_server(folder / "nats") as url:
        async with connect(Settings(nats_url=url), "benchmark") as nc:
            await deploy(nc)
            await write(nc, 0, history)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fastflow_scheduler"),
                env=_environment(url, folder),
                stdout=DEVNULL,
                stderr=DEVNULL,
            )
            try:
                made = Stage(nc, process.pid)
                await made.decided("start")
                yield made
            finally:
                process.kill()
                await process.wait()


def stamp(stored: Stored) -> datetime:
    """When the server stored the message."""
    whole, _, fraction = stored.headers["Nats-Time-Stamp"].rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")


def _environment(url: str, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FASTFLOW_")}
    return kept | {
        "FASTFLOW_NATS_URL": url,
        "FASTFLOW_HOME": str(folder),
        "FASTFLOW_LOG_LEVEL": "ERROR",
        "FASTFLOW_MAX_CONCURRENT_RUNS": "1000000",
        "FASTFLOW_CLAIM_WITHIN_S": "3600",
    }


def _discovered(name: str, fields: dict[str, object]) -> list[Recorded]:
    facts: Sequence[Fact] = [
        builders.version_stored(definition=fields),
        builders.pipeline_discovered(definition=fields),
    ]
    return [_recorded("pipeline", name, version, fact) for version, fact in enumerate(facts, start=1)]


def _recorded(aggregate: str, id: str, version: int, fact: Fact) -> Recorded:
    return Recorded(
        seq=0,
        aggregate=aggregate,
        id=id,
        version=version,
        at=utc_now(),
        source="/fastflow/benchmark/1",
        cause=Cause(correlation_id=id),
        fact=fact,
    )


def _end(found: Sequence[Stored]) -> int:
    return found[-1].seq if found else 0
