"""What runs wrote, in pages and live, on a real nats-server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Chunk, OutFrame, encode_chunk
from fastflow_events.testing.builders import (
    NOON,
    attempt_finished,
    run_finished,
    run_requested,
    second_attempt,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import Event, read_events, running_gateway
from fastflow_gateway.testing.idle_runner import RUN, IdleRunner
from nats.aio.client import Client

pytestmark = pytest.mark.nats
AT = "2026-03-01T12:00:00Z"


class Runner(IdleRunner):
    """Writes what a runner writes, without running anything."""

    def __init__(self, nc: Client, log: JetStreamLog) -> None:
        super().__init__(log)
        self._js = nc.jetstream()
        self._next = 0

    async def write(self, *pieces: bytes, attempt: int = 1, last: bool = False) -> None:
        frames = tuple(OutFrame("stdout", NOON, piece) for piece in pieces)
        chunk = Chunk(first=self._next, frames=frames, last=last)
        self._next = 0 if last else chunk.next
        await self._js.publish(subjects.output(RUN, attempt, "runner-1"), encode_chunk(chunk))

    async def finish(self, attempt: int = 1) -> None:
        await self.write(attempt=attempt, last=True)
        await self.say(attempt_finished(attempt), run_finished(attempt=attempt))


@pytest.fixture
def runner(nc: Client, jetstream_log: JetStreamLog) -> Runner:
    return Runner(nc, jetstream_log)


@pytest_asyncio.fixture
async def api(nats_url: str, runner: Runner, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that says that it lives very often."""
    async with (
        running_gateway(nats_url, tmp_path, keep_alive_s=0.01) as base,
        httpx.AsyncClient(base_url=base, timeout=20) as client,
    ):
        yield client


@asynccontextmanager
async def listening(client: httpx.AsyncClient, seen: str | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    headers = {"Last-Event-ID": seen} if seen else {}
    async with client.stream("GET", f"/api/runs/{RUN}/logs/stream", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        events = read_events(response.aiter_lines())
        try:
            yield events
        finally:
            await events.aclose()  # type: ignore[attr-defined]


async def next_line(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(20):
        while not (event := await anext(events)).name:
            pass
    return event


async def everything(client: httpx.AsyncClient, seen: str | None = None) -> list[Event]:
    async with listening(client, seen) as events, asyncio.timeout(20):
        return [event async for event in events if event.name]


async def test_lines_arrive_while_the_run_lives_and_the_end_says_how_it_ended(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    await runner.start()
    async with listening(api) as events:
        await runner.write(b"one\n")
        assert await next_line(events) == Event("1.1", "line", {"n": 1, "stream": "stdout", "at": AT, "text": "one"})
        await runner.write(b"tw")
        part = {"n": 2, "stream": "stdout", "at": AT, "text": "tw", "offset": 0, "b64": None, "partial": True}
        assert await next_line(events) == Event("", "partial", part)
        await runner.write(b"o\n")
        assert await next_line(events) == Event("1.2", "line", {"n": 2, "stream": "stdout", "at": AT, "text": "two"})
        await runner.finish()
        end = await next_line(events)
        assert (end.name, end.data["outcome"]) == ("end", "succeeded")
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_a_silent_run_keeps_its_stream_alive(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    async with listening(api) as events, asyncio.timeout(20):
        assert await anext(events) == Event("", "", "keep-alive")


async def test_a_finished_run_is_told_from_the_beginning(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    await runner.write(b"a\nb\n", b"half")
    await runner.finish()
    assert [(event.id, event.name) for event in await everything(api)][:3] == [
        ("1.1", "line"),
        ("1.2", "line"),
        ("1.3", "line"),
    ]
    assert (await everything(api))[-1].name == "end"


async def test_coming_back_at_any_line_loses_and_doubles_nothing(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    for n in range(0, 300, 3):
        await runner.write(f"{n}\n{n + 1}\n".encode(), f"{n + 2}".encode(), b"\n")
    await runner.finish()
    whole = await everything(api)
    assert [event.data["text"] for event in whole[:-1]] == [str(n) for n in range(300)]
    for seen in (0, 1, 149, 299):
        assert await everything(api, seen=whole[seen].id) == whole[seen + 1 :]


async def test_whoever_comes_back_again_and_again_sees_every_line_once(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()

    async def write() -> None:
        for n in range(60):
            await runner.write(f"{n}\n".encode())
        await runner.finish()

    writing = asyncio.create_task(write())
    texts: list[str] = []
    seen: str | None = None
    ended = False
    while not ended:
        async with listening(api, seen) as events:
            for _ in range(7):
                event = await next_line(events)
                if event.name == "end":
                    ended = True
                    break
                seen = event.id
                texts.append(event.data["text"])
    await writing
    assert texts == [str(n) for n in range(60)]


async def test_a_second_attempt_counts_its_lines_anew(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    await runner.write(b"first\n", last=True)
    await runner.say(*second_attempt())
    await runner.write(b"second\n", attempt=2)
    await runner.finish(attempt=2)
    assert [event.id for event in (await everything(api))[:-1]] == ["1.1", "2.1"]
    assert [event.id for event in (await everything(api, seen="1.1"))[:-1]] == ["2.1"]


async def test_missing_output_is_told_as_a_gap(api: httpx.AsyncClient, runner: Runner, nc: Client) -> None:
    await runner.start()
    await runner.write(b"a\n")
    later = Chunk(first=5, frames=(OutFrame("stderr", NOON, b"z\n"),), last=True)
    await nc.jetstream().publish(subjects.output(RUN, 1, "runner-1"), encode_chunk(later))
    await runner.say(attempt_finished(), run_finished())
    first, gap, last, _ = await everything(api)
    assert (first.name, gap.name, last.name) == ("line", "gap", "line")
    assert (gap.data, gap.id, last.id) == ({"after": 1, "frames": 4, "bytes": 0}, "1.1.1", "1.2")
    assert [event.name for event in await everything(api, seen=gap.id)] == ["line", "end"]
    cursor: str | None = "0.0"
    pages: list[str] = []
    while cursor is not None and len(pages) < 4:
        page = (await api.get(f"/api/runs/{RUN}/logs", params={"limit": 1, "cursor": cursor})).json()
        pages += [entry["id"] for entry in page["items"]]
        cursor = page["next"]
    assert pages == ["1.1", "1.1.1", "1.2"]


async def test_every_byte_can_be_had_over_sse(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    await runner.write(b"\n", b"a\r\x00b\n", b"caf\xe9\n", b"x" * 900_000, b"y" * 100_000 + b"\n")
    await runner.finish()
    lines = [event.data for event in (await everything(api))[:-1]]
    assert [line["text"] for line in lines[:3]] == ["", "a\r\x00b", "caf\ufffd"]
    assert lines[2]["b64"] == "Y2Fm6Q=="
    assert lines[3]["text"] == "x" * 900_000 + "y" * 100_000


async def test_pages_of_lines_meet_without_a_seam(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    await runner.write(*(f"{n}\n".encode() for n in range(25)))
    await runner.finish()
    await eventually(lambda: over(api))
    texts: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "10", **({"cursor": cursor} if cursor else {})}
        page = (await api.get(f"/api/runs/{RUN}/logs", params=params)).json()
        texts += [line["text"] for line in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert texts == [str(n) for n in range(25)]
    tail = (await api.get(f"/api/runs/{RUN}/logs", params={"tail": "3"})).json()["items"]
    assert [(line["id"], line["text"]) for line in tail] == [("1.23", "22"), ("1.24", "23"), ("1.25", "24")]


async def over(client: httpx.AsyncClient) -> bool:
    return bool((await client.get(f"/api/runs/{RUN}")).json()["status"] == "succeeded")


async def test_a_run_without_output_has_an_empty_log(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.say(run_requested())
    page = await api.get(f"/api/runs/{RUN}/logs")
    assert page.json() == {"items": [], "next": None, "unfinished": []}


async def test_what_is_no_chunk_is_stepped_over(api: httpx.AsyncClient, runner: Runner, nc: Client) -> None:
    await runner.start()
    await nc.jetstream().publish(subjects.output(RUN, 1, "runner-1"), b"garbage")
    await runner.write(b"a\n")
    await runner.finish()
    assert [event.name for event in await everything(api)] == ["line", "end"]


@pytest.mark.parametrize("seen", ["x", "1", "1.x", "-1.2"])
async def test_what_names_no_line_is_refused(api: httpx.AsyncClient, runner: Runner, seen: str) -> None:
    await runner.start()
    answer = await api.get(f"/api/runs/{RUN}/logs/stream", headers={"Last-Event-ID": seen})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_the_log_of_an_unknown_run_is_not_found(api: httpx.AsyncClient) -> None:
    assert (await api.get("/api/runs/unknown/logs")).status_code == 404
    assert (await api.get("/api/runs/unknown/logs/stream")).status_code == 404


async def test_an_unfinished_line_is_told_beside_the_page_and_never_counted(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    await runner.start()
    await runner.write(b"one\n\r10%")
    await runner.write(b"\r20%")

    async def pages() -> list[Any]:
        path = f"/api/runs/{RUN}/logs"
        return [(await api.get(path, params=params)).json() for params in ({}, {"tail": 5}, {"cursor": "1.1"})]

    async def known() -> bool:
        return (await api.get(f"/api/runs/{RUN}")).is_success

    await eventually(known)
    for page, ids in zip(await pages(), [["1.1"], ["1.1"], []], strict=True):
        assert [item["id"] for item in page["items"]] == ids
        [part] = page["unfinished"]
        assert (part["n"], part["text"], part["partial"]) == (2, "\r10%\r20%", True)
    await runner.write(b"\r30%\n")
    for page in await pages():
        assert page["unfinished"] == []


async def test_whoever_comes_back_is_told_the_unfinished_line_from_its_beginning(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    await runner.start()
    await runner.write(b"one\ntw")
    for _ in range(2):
        async with listening(api, "1.1") as events:
            event = await next_line(events)
            assert (event.name, event.data["text"], event.data["offset"]) == ("partial", "tw", 0)
