"""What is kept of rows is never older than what could be read."""

import asyncio

from fastflow_gateway.adapters.kept_rows import MAX_KEPT, KeptRows


class Table:
    """One value; `reads` counts, and `gate` holds a reader between reading and telling."""

    def __init__(self) -> None:
        self.value: str | None = "old"
        self.changed = 0
        self.reads = 0
        self.read_by = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()
        self.rows = KeptRows[str](lambda: self.changed)

    async def read(self, key: str) -> str | None:
        self.reads += 1
        self.read_by.release()
        found = self.value
        await self.gate.wait()
        return found

    async def get(self, key: str = "hello") -> str | None:
        return await self.rows.get(key, self.read)

    def write(self, value: str | None) -> None:
        self.value = value
        self.changed += 1


async def test_a_row_is_read_once_until_the_table_changes() -> None:
    table = Table()
    assert [await table.get(), await table.get()] == ["old", "old"]
    assert table.reads == 1
    table.write("new")
    assert [await table.get(), await table.get()] == ["new", "new"]
    assert table.reads == 2


async def test_a_row_that_was_read_before_a_change_is_not_kept_after_it() -> None:
    table = Table()
    table.gate.clear()
    late = asyncio.create_task(table.get())
    await table.read_by.acquire()
    table.write("new")
    table.gate.set()
    assert await late == "old"
    assert await table.get() == "new"


async def test_a_row_that_was_read_before_a_change_does_not_replace_one_that_was_read_after_it() -> None:
    table = Table()
    table.gate.clear()
    late = asyncio.create_task(table.get())
    await table.read_by.acquire()
    table.write("new")
    soon = asyncio.create_task(table.get())
    await table.read_by.acquire()
    table.gate.set()
    assert list(await asyncio.gather(late, soon)) == ["old", "new"]
    assert await table.get() == "new"


async def test_that_there_is_no_row_is_asked_again_each_time() -> None:
    table = Table()
    table.value = None
    assert await table.get() is None
    table.value = "new"  # the writer has not told yet
    assert await table.get() == "new"


async def test_it_does_not_grow_without_end() -> None:
    table = Table()
    for n in range(MAX_KEPT + 1):
        await table.get(f"pipeline-{n}")
    assert len(table.rows._rows) == 1
