"""Pages from the middle of a long log: found without reading what comes before."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_cli.__main__ import run
from fastflow_events import subjects
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Chunk, LineCounter, OutFrame, encode_chunk
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import read_events, running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats
LINES, LINES_PER_FRAME, FRAMES_PER_CHUNK = 1_000_200, 100, 100


async def write(nc: Client, run_id: str, frames: list[bytes], *, indexed: bool = True) -> None:
    """Store an attempt's output as a runner does, with output of another run in between."""
    js, counter = nc.jetstream(), LineCounter()
    for first in range(0, len(frames), FRAMES_PER_CHUNK):
        held = tuple(OutFrame("stdout", NOON, data) for data in frames[first : first + FRAMES_PER_CHUNK])
        line, unfinished = (counter.complete, counter.open) if indexed else (None, ())
        last = first + FRAMES_PER_CHUNK >= len(frames)
        chunk = Chunk(first=first, frames=held, last=last, line=line, open=unfinished)
        for index, frame in enumerate(held):
            counter.add(first + index, frame)
        await js.publish(subjects.output(run_id, 1, "runner-1"), encode_chunk(chunk))
        await js.publish(subjects.output("other", 1, "runner-1"), encode_chunk(Chunk(first=first, frames=(), line=0)))


async def tell(log: JetStreamLog, run_id: str) -> None:
    facts = (run_requested(), run_dispatched(), run_claimed(), run_started(), attempt_finished(), run_finished())
    await log.append((await log.load("run", run_id)).position, facts, cause=CAUSE)


@pytest_asyncio.fixture
async def api(nats_url: str, nc: Client, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=60) as client:
        yield client


async def page(api: httpx.AsyncClient, run_id: str, **params: str | int) -> list[tuple[int, str]]:
    answer = await api.get(f"/api/runs/{run_id}/logs", params=params)
    assert answer.status_code == 200, answer.text
    return [(line["n"], line["text"]) for line in answer.json()["items"]]


async def test_line_a_million_is_found_at_once(api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog) -> None:
    numbers = range(1, LINES + 1)
    frames = [
        b"".join(b"line %d\n" % n for n in numbers[at : at + LINES_PER_FRAME])
        for at in range(0, LINES, LINES_PER_FRAME)
    ]
    # Lines that lie across frames and chunks.
    end = frames[-1][-5:]
    frames = [frames[0][:-5], *(before[-5:] + data[:-5] for before, data in pairwise(frames))]
    frames[-1] += end
    await write(nc, "long", frames)
    await tell(jetstream_log, "long")

    async def known() -> bool:
        return (await api.get("/api/runs/long")).status_code == 200

    await eventually(known)
    wanted = [(n, f"line {n}") for n in range(1_000_000, 1_000_101)]
    assert await page(api, "long", **{"from": 1_000_000, "limit": 101}) == wanted
    place: dict[str, str | int] = {"from": "1.500000", "limit": 1}
    assert await page(api, "long", **place) == [(500_000, "line 500000")]
    assert await page(api, "long", cursor="1.999999", limit=101) == wanted
    assert await page(api, "long", tail=3) == [(n, f"line {n}") for n in range(LINES - 2, LINES + 1)]
    assert await page(api, "long", **{"from": 1, "limit": 2}) == [(1, "line 1"), (2, "line 2")]
    assert await page(api, "long", **{"from": LINES + 1}) == []
    params = {"cursor": f"1.{LINES - 2}"}
    async with api.stream("GET", "/api/runs/long/logs/stream", params=params) as response:
        events = [event async for event in read_events(response.aiter_lines()) if event.name]
    assert [event.id for event in events if event.name == "line"] == [f"1.{LINES - 1}", f"1.{LINES}"]
    assert events[-1].name == "end"


async def test_chunks_of_an_older_release_are_read_from_the_start(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await write(nc, "old", [b"line %d\n" % n for n in range(1, 3001)], indexed=False)
    await tell(jetstream_log, "old")
    await eventually(lambda: page(api, "old", limit=1))
    assert await page(api, "old", **{"from": 2999}) == [(2999, "line 2999"), (3000, "line 3000")]
    assert await page(api, "old", tail=1) == [(3000, "line 3000")]


async def test_the_command_line_shows_a_part_from_the_middle_over_several_pages(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog, capsys: pytest.CaptureFixture[str]
) -> None:
    await write(nc, "long", [b"line %d\n" % n for n in range(1, 3001)])
    await tell(jetstream_log, "long")
    await eventually(lambda: page(api, "long", limit=1))

    async def fastflow(*words: str) -> list[str]:
        capsys.readouterr()
        assert await asyncio.to_thread(run, ["logs", "long", *words, "--url", str(api.base_url)]) == 0
        return capsys.readouterr().out.splitlines()

    assert await fastflow("--from", "1001", "--lines", "1500") == [f"line {n}" for n in range(1001, 2501)]
    assert await fastflow("--from", "1.2999") == ["line 2999", "line 3000"]
    assert await fastflow("--lines", "2") == ["line 1", "line 2"]


async def test_a_line_that_is_no_number_is_told(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    await tell(jetstream_log, "short")

    async def known() -> bool:
        return (await api.get("/api/runs/short")).status_code == 200

    await eventually(known)
    answer = await api.get("/api/runs/short/logs", params={"from": "last"})
    assert answer.status_code == 400
