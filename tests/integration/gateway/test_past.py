"""A look into the past sees what a read model saw that knew nothing later."""

import asyncio
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from fastflow_events.log import EventLog
from fastflow_events.service.projection import apply_batch
from fastflow_events.service.store import open_store
from fastflow_gateway.adapters.projection import SCHEMA, RowProjection
from fastflow_gateway.adapters.read_model import SqliteReadModel
from fastflow_gateway.adapters.readers import open_readers
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.ports import ReadModel
from fastflow_gateway.testing.filters import FILTERS
from fastflow_gateway.testing.worlds import PIPELINES, Said, log_of, worlds
from hypothesis import given, settings
from hypothesis import strategies as st

ALL = RunFilter()


async def opened(log: EventLog, until: int, stack: AsyncExitStack) -> SqliteReadModel:
    """A read model of the log cut behind a position."""
    path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "read.db"
    store = await stack.enter_async_context(open_store(path, SCHEMA))
    projection = RowProjection(store, Changes())
    facts = [recorded async for recorded in log.read("fastflow.evt.>") if recorded.seq <= until]
    await apply_batch(log.doubts, store, projection, facts)
    return SqliteReadModel(await stack.enter_async_context(open_readers(path)), path)


async def seen(model: ReadModel, filters: list[RunFilter]) -> dict[str, object]:
    """Everything that people list."""
    runs = await model.runs(ALL, limit=1000)
    return {
        "runs": [await model.runs(wanted, limit=1000) for wanted in filters],
        "pages": [await model.runs(wanted, after=9, limit=2, order="oldest") for wanted in filters],
        "counts": [Counter((await model.run_counts(wanted)).counts) for wanted in filters],
        "run": [await model.run(row.id) for row in runs],
        "open": await model.open_runs(),
        "statuses": await model.statuses([f"{number:08x}-run" for number in range(8)]),
        "pipelines": await model.pipelines(after="", limit=100),
        "names": await model.pipeline_names(),
        "pipeline": [await model.pipeline(name) for name in PIPELINES],
        "schedules": await model.schedules(),
        "chains": await model.chains(),
        "repositories": await model.repositories(),
        "settings": await model.settings(),
        "lease": await model.queue_lease(),
    }


@settings(max_examples=40, deadline=None)
@given(world=worlds(), filters=st.lists(FILTERS, max_size=6), data=st.data())
def test_any_position_looks_as_if_the_log_ended_there(
    world: list[Said], filters: list[RunFilter], data: st.DataObject
) -> None:
    async def compare() -> None:
        log, last = await log_of(world), len(world)
        async with AsyncExitStack() as stack:
            now = await opened(log, last, stack)
            for seq in data.draw(st.lists(st.integers(1, last), min_size=1, max_size=3, unique=True)):
                cut = await opened(log, seq, stack)
                wanted = [ALL, RunFilter(pipelines=(PIPELINES[0],)), *filters]
                then, expected = await seen(now.at(seq, log), wanted), await seen(cut, wanted)
                for what, value in expected.items():
                    assert then[what] == value, (what, seq)

    asyncio.run(compare())
