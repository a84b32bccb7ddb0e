"""One stream for everything that a page follows, on a real nats-server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import RunCellFinished
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_gateway.testing import Event, read_events, running_gateway
from fastflow_gateway.testing.idle_runner import RUN
from fastflow_gateway.testing.writing_runner import WritingRunner
from nats.aio.client import Client

pytestmark = pytest.mark.nats
LINES = f"run={RUN}&lines=0.0"


@pytest.fixture
def runner(nc: Client, jetstream_log: JetStreamLog) -> WritingRunner:
    return WritingRunner(nc.jetstream().publish, jetstream_log)


@pytest_asyncio.fixture
async def api(nats_url: str, runner: WritingRunner, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        running_gateway(nats_url, tmp_path) as base,
        httpx.AsyncClient(base_url=base, timeout=30, limits=httpx.Limits(max_connections=200)) as client,
    ):
        yield client


@asynccontextmanager
async def live(client: httpx.AsyncClient, query: str, seen: str = "") -> AsyncIterator[AsyncIterator[Event]]:
    headers = {"Last-Event-ID": seen} if seen else {}
    async with client.stream("GET", f"/api/live?{query}", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        events = read_events(response.aiter_lines())
        async with asyncio.timeout(60):
            yield events
        await events.aclose()  # type: ignore[attr-defined]


async def next_of(events: AsyncIterator[Event], name: str) -> Event:
    while (event := await anext(events)).name != name:
        pass
    return event


async def until_end(client: httpx.AsyncClient, query: str, seen: str = "") -> list[Event]:
    async with live(client, query, seen) as events:
        return [event async for event in events if event.name]


def texts(events: list[Event]) -> list[str]:
    return [line["text"] for event in events if event.name == "lines" for line in event.data]


async def test_a_change_is_told_after_it_is_committed_as_lists_show_it(
    api: httpx.AsyncClient, runner: WritingRunner, jetstream_log: JetStreamLog
) -> None:
    async with live(api, "changes") as events:
        hello = await anext(events)
        assert (hello.name, set(hello.data), hello.id[:1]) == ("hello", {"build", "seq", "now"}, "c")
        await runner.say(run_requested(env={"TOKEN": "s3cret"}))
        changed = await next_of(events, "changed")
        [run] = changed.data["runs"]
        assert changed.id == f"c{changed.data['seq']}"
        shown = (await api.get("/api/runs")).json()["items"]
        assert [set(run), run["id"], run["env"]] == [set(shown[0]), RUN, ["TOKEN"]]
        assert shown[0]["seq"] >= run["seq"]
        assert "s3cret" not in str(changed)


async def test_what_changed_meanwhile_is_told_to_who_comes_back_and_of_his_pipelines_only(
    api: httpx.AsyncClient, runner: WritingRunner, jetstream_log: JetStreamLog
) -> None:
    async with live(api, "changes") as events:
        seen = (await anext(events)).id
    for n in range(150):
        position = Position(aggregate="run", id=f"r{n}")
        await jetstream_log.append(position, [run_requested(pipeline="a" if n % 3 else "b")], cause=CAUSE)
    told = set[str]()
    async with live(api, "changes", seen) as events:
        while len(told) < 150:
            told |= {run["id"] for run in (await next_of(events, "changed")).data["runs"]}
    only = set[str]()
    async with live(api, "changes&pipeline=b", seen) as events:
        while len(only) < 50:
            runs = (await next_of(events, "changed")).data["runs"]
            assert {run["pipeline"] for run in runs} == {"b"}
            only |= {run["id"] for run in runs}


async def test_everything_of_a_run_comes_over_one_connection_and_one_id_resumes_all(
    api: httpx.AsyncClient, runner: WritingRunner
) -> None:
    await runner.start()
    await runner.write(b"one\n", b"two\n", b"thr")
    query = f"{LINES}&samples=0"
    async with live(api, query) as events:
        lines = await next_of(events, "lines")
        assert [(line["id"], line["text"]) for line in lines.data] == [("1.1", "one"), ("1.2", "two")]
        part = await next_of(events, "partial")
        assert (part.id, part.data["text"]) == ("", "thr")
        await runner.measure(7)
        assert (await next_of(events, "sample")).data["memory_bytes"] == 7
        await runner.say(RunCellFinished(attempt=1, runner="runner-1", cell=1, succeeded=True, tries=1))
        cell = await next_of(events, "cell")
        await runner.write(b"ee\n")
        assert texts([await next_of(events, "lines")]) == ["three"]
    await runner.write(b"four\n")
    await runner.measure(8)
    await runner.finish()
    rest = await until_end(api, query, cell.id)
    assert texts(rest) == ["three", "four"]
    assert [event.data["memory_bytes"] for event in rest if event.name == "sample"] == [8]
    assert [event.name for event in rest].count("cell") == 0
    assert (rest[-1].name, rest[-1].data["run"], rest[-1].data["outcome"]) == ("end", RUN, "succeeded")
    assert texts(await until_end(api, query)) == ["one", "two", "three", "four"]


async def test_changes_go_on_when_the_run_is_over(
    api: httpx.AsyncClient, runner: WritingRunner, jetstream_log: JetStreamLog
) -> None:
    await runner.start()
    await runner.finish()
    async with live(api, f"changes&{LINES}") as events:
        await next_of(events, "end")
        await jetstream_log.append(Position(aggregate="run", id="other"), [run_requested()], cause=CAUSE)
        while [run["id"] for run in (await next_of(events, "changed")).data["runs"]] != ["other"]:
            pass


async def test_wherever_a_reader_is_cut_he_goes_on_behind_it(api: httpx.AsyncClient, runner: WritingRunner) -> None:
    await runner.start()
    for n in range(0, 3000, 30):
        await runner.write(*(f"{n + k}\n".encode() for k in range(30)))
    await runner.finish()
    whole = await until_end(api, LINES)
    assert texts(whole) == [str(n) for n in range(3000)]
    for event in whole[::3]:
        seen = texts(whole[: whole.index(event) + 1])
        if event.id:
            assert seen + texts(await until_end(api, LINES, event.id)) == texts(whole)


async def test_a_gateway_that_starts_again_tells_every_line_once(
    nats_url: str, runner: WritingRunner, tmp_path: Path
) -> None:
    await runner.start()
    seen, told = "", list[str]()
    for n in range(0, 60, 20):
        async with (
            running_gateway(nats_url, tmp_path) as base,
            httpx.AsyncClient(base_url=base, timeout=30) as client,
            live(client, LINES, seen) as events,
        ):
            for k in range(20):
                await runner.write(f"{n + k}\n".encode())
            while len(told) < n + 20:
                event = await next_of(events, "lines")
                seen, told = event.id, [*told, *texts([event])]
    assert told == [str(n) for n in range(60)]


async def test_a_place_that_is_none_is_told_and_the_stream_goes_on(
    api: httpx.AsyncClient, runner: WritingRunner, jetstream_log: JetStreamLog
) -> None:
    await runner.start()
    await runner.write(b"one\n")
    await runner.finish()
    found = await until_end(api, f"{LINES}&samples=0", "c1,l7.900,s900000,n900000")
    assert {event.data["of"] for event in found if event.name == "reset"} == {"lines", "samples", "cells"}
    assert texts(found) == ["one"]
    async with live(api, "changes", "c900000") as events:
        assert (await next_of(events, "reset")).data == {"of": "changes"}
        await jetstream_log.append(Position(aggregate="run", id="other"), [run_requested()], cause=CAUSE)
        await next_of(events, "changed")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("run=nobody", 404),
        ("lines=1.1", 400),
        ("samples=1", 400),
        (f"run={RUN}&lines=x", 400),
        (f"run={RUN}&samples=x", 400),
        ("changes=perhaps", 400),
        ("after=c", 400),
        ("after=l1", 400),
        ("after=c1,", 400),
        ("after=c1,c2,x", 400),
        ("after=c99999999999999999999", 400),
    ],
)
async def test_what_cannot_be_followed_is_refused(
    api: httpx.AsyncClient, runner: WritingRunner, query: str, status: int
) -> None:
    await runner.start()
    answer = await api.get(f"/api/live?{query}")
    body: Any = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), body
