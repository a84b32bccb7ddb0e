"""A line that has not ended is seen by whoever watches, and once more, whole, when it ends."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec
import pytest
from fastflow_cli.testing.product import Product
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.e2e]
Open = Callable[[str], AbstractAsyncContextManager[Product]]
WITHIN_S = 60


@asynccontextmanager
async def watching(product: Product, run_id: str, *more: str) -> AsyncIterator[Process]:
    """`fastflow logs --follow`, as somebody types it."""
    command = ["-m", "fastflow_cli", "logs", run_id, "--follow", *more]
    env = {**os.environ, "FASTFLOW_URL": product.installation.url}
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE, stderr=PIPE, env=env)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def read(stream: asyncio.StreamReader | None, wanted: bytes) -> None:
    assert stream is not None
    async with asyncio.timeout(WITHIN_S):
        assert await stream.readexactly(len(wanted)) == wanted


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_a_line_that_grows_is_seen_and_a_killed_runner_changes_nothing(open_product: Open, executor: str) -> None:
    async with open_product(executor) as product:
        run_id = await product.trigger("grows")
        async with watching(product, run_id) as person, watching(product, run_id, "--json") as program:
            await read(person.stdout, b"it works")
            await read(person.stderr, b"\r10%")
            assert await product.lines(run_id) == []
            page = await product.get(f"/api/runs/{run_id}/logs")
            assert [(part["stream"], part["text"]) for part in page["unfinished"]] == [
                ("stdout", "it works"),
                ("stderr", "\r10%"),
            ]
            product.kill("runner")

            async def adopted() -> bool:
                return "run.adopted.v1" in await product.facts(run_id)

            await eventually(adopted, within_s=WITHIN_S)
            assert (await product.http.post(f"/api/runs/{run_id}/cancel")).status_code == 202
            async with asyncio.timeout(WITHIN_S):
                (rest, words), (found, _) = await asyncio.gather(person.communicate(), program.communicate())
        assert rest == b" and stops\n"
        assert words.startswith(b"cancelled")
        assert await product.lines(run_id) == [("stdout", "it works and stops"), ("stderr", "\r10%")]
        news = [msgspec.json.decode(line) for line in found.splitlines()]
        assert [one["kind"] for one in news if one["kind"] != "partial"] == ["line", "line", "end"]
        assert {one["text"] for one in news if one["kind"] == "partial"} >= {"it works", "\r10%"}
