"""Whatever is asked about runs, the index finds what looking through all of them would."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastflow_events.service.projection import apply_batch
from fastflow_events.service.store import open_store
from fastflow_gateway.adapters.projection import SCHEMA, RowProjection
from fastflow_gateway.adapters.read_model import SqliteReadModel
from fastflow_gateway.adapters.readers import open_readers
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.run_filter import RunFilter, matches
from fastflow_gateway.testing.filters import FILTERS
from fastflow_gateway.testing.worlds import PIPELINES, Said, facts_of, log_of, worlds
from hypothesis import given, settings
from hypothesis import strategies as st

ALL = RunFilter()


@asynccontextmanager
async def model_of(told: Sequence[Said], folder: str, batch: int = 1000) -> AsyncGenerator[SqliteReadModel]:
    """The read model of everything that was said, folded in batches."""
    log = await log_of(told)
    facts = await facts_of(log)
    path = Path(folder) / "read.db"
    async with open_store(path, SCHEMA) as store:
        projection = RowProjection(store, Changes())
        await projection.begin(log)
        for start in range(0, len(facts), batch):
            await apply_batch(log.doubts, store, projection, facts[start : start + batch])
        async with open_readers(path) as readers:
            yield SqliteReadModel(readers, path)


@settings(max_examples=40, deadline=None)
@given(told=worlds(), filters=st.lists(FILTERS, min_size=5, max_size=15), limit=st.integers(1, 8), data=st.data())
def test_every_filter_finds_what_looking_through_all_runs_finds(
    told: list[Said], filters: list[RunFilter], limit: int, data: st.DataObject
) -> None:
    async def look() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with model_of(told, folder) as model:
                everything = await model.runs(ALL, limit=1000)
                pipelines = {name: await model.pipeline(name) for name in PIPELINES}
                for wanted in filters:
                    kept = _kept(wanted, pipelines)
                    expected = [row for row in everything if matches(wanted, row, kept)]
                    assert await model.runs(wanted, limit=1000) == expected, wanted
                    assert await model.runs(wanted, limit=1000, order="oldest") == expected[::-1], wanted
                    counts = await model.run_counts(wanted)
                    assert (counts.counts, counts.is_exact) == (Counter(row.status for row in expected), True)
                    after = data.draw(st.integers(0, 60))
                    page = [row for row in expected if row.requested_seq < after][:limit]
                    assert await model.runs(wanted, after=after, limit=limit) == page, wanted

    asyncio.run(look())


def _kept(wanted: RunFilter, pipelines: dict[str, Any]) -> set[str] | None:
    if not wanted.tags and not wanted.repositories:
        return None
    tags = {tag.casefold() for tag in wanted.tags}
    return {
        name
        for name, row in pipelines.items()
        if row is not None
        and (not wanted.repositories or row.repository in wanted.repositories)
        and (not tags or any(f'"{tag}"' in row.tags for tag in tags))
    }


@settings(max_examples=30, deadline=None)
@given(told=worlds(), batch=st.integers(1, 5))
def test_what_is_derived_is_the_same_made_at_once_or_step_by_step(told: list[Said], batch: int) -> None:
    async def derived(folder: str, size: int) -> list[Any]:
        async with model_of(told, folder, size) as model:
            ask = model._all
            return [
                sorted(await ask("SELECT * FROM hours")),
                sorted(await ask("SELECT * FROM hour_counts WHERE runs OR duration_ms")),
                sorted(await ask("SELECT * FROM day_counts WHERE runs OR duration_ms")),
                sorted(await ask("SELECT * FROM environments_used")),
                [
                    [row.id for row in await model.runs(RunFilter(q=word), limit=1000)]
                    for word in ("day", "zurich", "keyerror", "sku", "tax", "off", "x", "ann")
                ],
                await model.hashes(),
            ]

    async def both() -> None:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            assert await derived(one, 1000) == await derived(other, batch)

    asyncio.run(both())
