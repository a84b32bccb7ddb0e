"""Folding the whole log into an empty read model."""

import tempfile
import time
from pathlib import Path

from fastflow_events import subjects
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.service.projection import project
from fastflow_events.service.settings import Settings
from fastflow_events.service.store import delete_store, open_store
from fastflow_events.service.tasks import background
from fastflow_events.testing.nats_server import nats_server
from fastflow_gateway.adapters.projection import SCHEMA, RowProjection
from fastflow_gateway.bell import Changes

from benchmarks.measure import CannotMeasureError, Sample, interleaved, sample
from benchmarks.results import Budget, Figure
from benchmarks.stories import FACTS, write

SIZES = (10_000, 40_000)
ROUNDS = 3
WITHIN_S = 120.0
BUDGET = Budget(0.4, at_least=True)
LINEAR = Budget(0.8, at_least=True)


async def measure() -> list[Figure]:
    """The gateway's projection over streams of two sizes, in turn with Direct Get and decoding alone."""
    figures: list[Figure] = []
    speeds: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="fastflow-bench-") as folder, nats_server(Path(folder) / "nats") as url:
        async with connect(Settings(nats_url=url), "benchmark") as nc:
            await deploy(nc)
            log, path, written = JetStreamLog(nc, source="/fastflow/benchmark/1"), Path(folder) / "read.db", 0
            for size in SIZES:
                stories = size // FACTS
                await write(nc, written, stories - written)
                written = stories
                last = await log.last_seq()

                cpu: list[float] = []

                async def folded(last: int = last, cpu: list[float] = cpu) -> float:
                    worked = time.process_time()
                    took = await rebuild(log, path, last)
                    cpu.append(last / (time.process_time() - worked))
                    return last / took

                async def bare(last: int = last) -> float:
                    return last / await read_all(log, last)

                mine, theirs = await interleaved(folded, bare, rounds=ROUNDS, warm_up=0)
                speeds.append(sample(cpu))
                figures.append(
                    Figure(
                        name=f"read model rebuilt from {last:,} facts".replace(",", " "),
                        ours=sample(mine),
                        bare=sample(theirs),
                        unit="facts/s",
                        against="Direct Get in batches and decoding, of the same stream",
                        budget=BUDGET,
                    )
                )
    figures.append(
        Figure(
            name=f"facts folded per processor second, of {SIZES[1] // 1000} 000: linear",
            ours=speeds[1],
            bare=speeds[0],
            unit="facts/s",
            against=f"the same, of {SIZES[0] // 1000} 000",
            budget=LINEAR,
        )
    )
    return figures


async def rebuild(log: JetStreamLog, path: Path, last: int) -> float:
    """Seconds until everything up to `last` is in a new file's rows."""
    delete_store(path)
    changes, began = Changes(), time.perf_counter()
    async with open_store(path, SCHEMA) as store, background(project(log, store, RowProjection(store, changes))):
        if not await changes.reached(last, within_s=WITHIN_S):
            raise CannotMeasureError(f"the read model is at {changes.seq} of {last} after {WITHIN_S:g} s")
        return time.perf_counter() - began


async def read_all(log: JetStreamLog, last: int) -> float:
    """Seconds until everything was read and decoded."""
    began, count = time.perf_counter(), 0
    async for _ in log.read(subjects.EVENTS):
        count += 1
    if count != last:
        raise CannotMeasureError(f"{count} of {last} facts were read")
    return time.perf_counter() - began
