"""The scheduler decides by what it knows, and does not wait until that is written down."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.service.store import Store, open_store
from fastflow_events.testing.builders import CAUSE, NOON, pipeline_discovered, run_requested
from fastflow_scheduler.adapters.state_store import SCHEMA, StateProjection
from fastflow_scheduler.core.state import SchedulerState


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "state.db", SCHEMA) as store:
        yield store


def stored(seq: int, aggregate: str, id: str, fact: Fact) -> Recorded:
    return Recorded(
        seq=seq, aggregate=aggregate, id=id, version=1, at=NOON, source="/fastflow/test", cause=CAUSE, fact=fact
    )


BATCH = [stored(1, "pipeline", "hello", pipeline_discovered()), stored(2, "run", "r1", run_requested())]


async def test_a_decision_does_not_wait_for_the_file(store: Store) -> None:
    state = SchedulerState()
    projection = StateProjection(store, state)
    await projection.load()
    projection.changed.clear()
    async with store.advance(2):
        await projection.apply(BATCH)
        assert projection.changed.is_set()
        assert state.seq == 2
        assert state.runs.table.get("r1") is not None
        assert await store.checkpoint() == 0


async def test_what_could_not_be_written_down_is_forgotten_and_folded_once_more(store: Store) -> None:
    state = SchedulerState()
    projection = StateProjection(store, state)
    await projection.load()

    async def fail() -> None:
        async with store.advance(2):
            await projection.apply(BATCH)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await fail()
    projection.committed(await store.checkpoint())
    async with store.advance(1):
        await projection.apply(BATCH[:1])
        assert state.runs.table.get("r1") is None
    projection.committed(1)
    async with store.advance(2):
        await projection.apply(BATCH[1:])
    projection.committed(2)
    again = SchedulerState()
    await StateProjection(store, again).load()
    assert (again.seq, [*again.runs.table.items()]) == (state.seq, [*state.runs.table.items()])
