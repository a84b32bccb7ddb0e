"""The audit: every fact, filtered, page by page and live."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.nats.client import Connection
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, run_claimed, run_dispatched, run_requested
from fastflow_gateway.testing import read_events, running_gateway

pytestmark = pytest.mark.nats
START = datetime(2026, 3, 1, tzinfo=UTC)


class Ticking:
    """A clock that goes an hour per fact."""

    def __init__(self) -> None:
        self._hours = 0

    def __call__(self) -> datetime:
        self._hours += 1
        return START + timedelta(hours=self._hours)


@pytest_asyncio.fixture
async def api(nats_url: str, nc: Connection, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A log of one pipeline and ten runs, one hour apart."""
    log = JetStreamLog(nc, source="/fastflow/test/1", clock=Ticking())
    await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    for n in range(10):
        request = run_requested(env={"TOKEN": "s3cret"})
        await log.append(Position(aggregate="run", id=f"r{n}"), [request, run_dispatched(), run_claimed()], cause=CAUSE)
    async with (
        running_gateway(nats_url, tmp_path) as base,
        httpx.AsyncClient(base_url=base, timeout=20) as client,
    ):
        yield client


async def found(client: httpx.AsyncClient, **params: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/api/events", params=params)).json()["items"]
    return items


async def test_facts_come_page_by_page_oldest_first(api: httpx.AsyncClient) -> None:
    seen: list[int] = []
    cursor = "0"
    while True:
        page = (await api.get("/api/events", params={"limit": "7", "cursor": cursor})).json()
        seen += [fact["seq"] for fact in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == list(range(1, 32))


async def test_facts_are_filtered_by_kind_id_and_type(api: httpx.AsyncClient) -> None:
    assert {fact["aggregate"] for fact in await found(api, aggregate="pipeline")} == {"pipeline"}
    assert [fact["type"] for fact in await found(api, aggregate="run", id="r3")] == [
        "run.requested.v1",
        "run.dispatched.v1",
        "run.claimed.v1",
    ]
    assert len(await found(api, type="run.claimed")) == 10
    assert len(await found(api, type="run.dispatched.v1", id="r3")) == 1


async def test_facts_are_filtered_by_time(api: httpx.AsyncClient) -> None:
    facts = await found(api, since="2026-03-01T03:00:00Z", until="2026-03-01T04:30:00Z")
    assert {fact["aggregate_id"] for fact in facts} == {"r1", "r2"}
    assert await found(api, since="2030-01-01T00:00:00Z") == []
    assert len(await found(api, until="2026-03-01T02:00:00Z", type="run.requested")) == 1


async def test_the_newest_facts_can_be_had_without_reading_all(api: httpx.AsyncClient) -> None:
    assert [fact["seq"] for fact in await found(api, tail="3")] == [29, 30, 31]
    assert [fact["aggregate_id"] for fact in await found(api, tail="3", type="run.requested")] == ["r7", "r8", "r9"]
    assert [fact["seq"] for fact in await found(api, tail="5", aggregate="pipeline")] == [1]


async def test_a_filter_that_can_match_nothing_is_refused(api: httpx.AsyncClient) -> None:
    for params in ({"type": "run.invented"}, {"aggregate": "cat"}, {"since": "yesterday"}):
        assert (await api.get("/api/events", params=params)).status_code == 400
    for params in ({"id": "r1"}, {"aggregate": "pipeline", "type": "run.requested"}):
        assert (await api.get("/api/events", params=params)).status_code == 422


async def test_the_story_of_a_run_hides_values_and_keeps_names(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/runs/r1/facts")
    first = answer.json()["items"][0]
    assert (first["id"], first["source"], first["correlation_id"]) == ("run/r1/1", "/fastflow/test/1", "test")
    assert first["data"]["env"] == {"TOKEN": "***"}
    assert "s3cret" not in answer.text
    assert (await api.get("/api/runs/unknown/facts")).status_code == 404


async def test_facts_are_followed_live_and_resumed(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    params = {"aggregate": "run"}
    headers = {"Last-Event-ID": "29"}
    async with (
        asyncio.timeout(20),
        api.stream("GET", "/api/events/stream", params=params, headers=headers) as response,
    ):
        events = read_events(response.aiter_lines())
        assert [(await anext(events)).id for _ in range(2)] == ["30", "31"]
        await execute(jetstream_log, run_decider, "r1", RequestCancel(who="ann"), cause=CAUSE)
        live = await anext(events)
        assert (live.id, live.name, live.data["type"]) == ("32", "fact", "run.cancel_requested.v1")


async def test_without_a_place_only_what_comes_is_told(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    async with asyncio.timeout(20), api.stream("GET", "/api/events/stream") as response:
        await execute(jetstream_log, run_decider, "r1", RequestCancel(who="ann"), cause=CAUSE)
        assert (await anext(read_events(response.aiter_lines()))).id == "32"


async def test_facts_come_newest_first_page_by_page(api: httpx.AsyncClient) -> None:
    for params, wanted in (
        ({}, list(range(31, 0, -1))),
        ({"type": "run.claimed"}, list(range(31, 3, -3))),
        ({"aggregate": "pipeline"}, [1]),
        ({"since": "2026-03-01T03:00:00Z", "until": "2026-03-01T07:30:00Z"}, list(range(19, 4, -1))),
    ):
        seen: list[int] = []
        more: dict[str, str] = {"order": "desc"}
        while more:
            page = (await api.get("/api/events", params={"limit": "4", **params, **more})).json()
            seen += [fact["seq"] for fact in page["items"]]
            more = {"before": page["next"]} if page["next"] is not None else {}
        assert seen == wanted
    assert [fact["seq"] for fact in await found(api, before="3")] == [2, 1]
    assert await found(api, before="1") == []
    for wrong in ({"before": "9", "cursor": "1"}, {"order": "desc", "tail": "1"}, {"before": "9", "order": "asc"}):
        assert (await api.get("/api/events", params=wrong)).status_code == 400


async def test_a_fact_says_why_it_is_there_and_what_it_caused(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    [first, *_] = (await jetstream_log.load("run", "r1")).recorded
    [follower] = await jetstream_log.append(
        Position(aggregate="run", id="follower"), [run_requested()], cause=first.because()
    )
    shown = (await api.get(f"/api/events/{first.seq}")).json()
    assert (shown["fact"]["id"], shown["because"]) == ("run/r1/1", None)
    assert [fact["seq"] for fact in shown["caused"]] == [follower.seq]
    assert shown["looked_until"] == follower.seq
    assert "s3cret" not in str(shown)
    assert (await api.get(f"/api/events/{follower.seq}")).json()["because"]["seq"] == first.seq
    assert (await api.get("/api/events/33")).status_code == 404
    assert (await api.get(f"/api/events/{2**63}")).status_code in (400, 404)


async def test_a_histogram_counts_every_fact_once(api: httpx.AsyncClient) -> None:
    async def shown(**params: str) -> list[dict[str, Any]]:
        answer = await api.get("/api/events/histogram", params=params)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    days = await shown(until="2026-03-01T12:00:00Z", buckets="3", tz="Europe/Berlin")
    assert [(span["facts"], span["seq"]) for span in days] == [(10, 10), (18, 28), (3, 31)]
    for most in ("1", "7", "500"):
        spans = await shown(buckets=most)
        assert sum(span["facts"] for span in spans) == 31
        assert len(spans) <= int(most)
    assert await shown(since="2027-01-01T00:00:00Z", until="2026-01-01T00:00:00Z") == []
    for wrong in ({"tz": "Mars/Olympus"}, {"buckets": "0"}, {"since": "yesterday"}):
        assert (await api.get("/api/events/histogram", params=wrong)).status_code == 400
