"""The same done with many runs at once, each decided by itself, on a real nats-server."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import ConcludeRun, RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunCancelRequested, RunPrioritised, RunRequested
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, run_requested
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats
WAITING = [f"r{n}" for n in range(5)]
OVER = ["over1", "over2"]


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway with five runs in the queue and two that are over."""
    log = jetstream_log
    await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    for run_id in (*WAITING, *OVER):
        await log.append(Position(aggregate="run", id=run_id), [run_requested(env={"TOKEN": "s3cret"})], cause=CAUSE)
    for run_id in OVER:
        await execute(log, run_decider, run_id, RequestCancel(who="ann"), cause=CAUSE)
        await execute(log, run_decider, run_id, ConcludeRun(), cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=60) as client:
        await caught_up(client.get, log)
        yield client


async def bulk(api: httpx.AsyncClient, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    answer = await api.post("/api/runs/bulk", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def outcomes(answer: dict[str, Any]) -> dict[str, str]:
    return {item["id"]: item["outcome"] for item in answer["items"]}


async def test_a_dry_run_says_what_would_become_of_each_and_does_nothing(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    before = await jetstream_log.last_seq()
    ids = ["r0", "over1", "nobody"]
    for action, wanted in (
        ("cancel", ["done", "refused", "refused"]),
        ("prioritise", ["done", "refused", "refused"]),
        ("rerun", ["refused", "done", "refused"]),
    ):
        more: dict[str, Any] = {"priority": 5} if action == "prioritise" else {}
        answer = await bulk(api, action=action, ids=ids, dry_run=True, **more)
        assert list(outcomes(answer).values()) == wanted
        assert all(
            item["reason"] and item["reason_message"] for item in answer["items"] if item["outcome"] == "refused"
        )
    assert await jetstream_log.last_seq() == before


async def test_runs_are_cancelled_with_a_reason_once_however_often_they_are_named(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    ids = [*WAITING, "r0", *OVER]
    first = await bulk(api, action="cancel", ids=ids, why="a wrong price list")
    assert (first["done"], first["already"], first["refused"]) == (5, 0, 2)
    again = await bulk(api, action="cancel", ids=ids, why="a wrong price list")
    assert (again["done"], again["already"], again["refused"]) == (0, 5, 2)
    for run_id in WAITING:
        facts = (await jetstream_log.load("run", run_id)).facts
        assert [fact.why for fact in facts if isinstance(fact, RunCancelRequested)] == ["a wrong price list"]


async def test_runs_are_moved_in_the_queue(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    assert (await bulk(api, action="prioritise", ids=WAITING, priority=7))["done"] == 5
    for run_id in WAITING:
        last = (await jetstream_log.load("run", run_id)).facts[-1]
        assert isinstance(last, RunPrioritised)
        assert last.priority == 7


async def test_runs_are_repeated_once_for_a_key(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    key = {"Idempotency-Key": "monday"}
    first = await bulk(api, key, action="rerun", ids=["over1", "r0"])
    assert outcomes(first) == {"over1": "done", "r0": "refused"}
    # as after a request that was cut off
    again = await bulk(api, key, action="rerun", ids=["over1", "over2", "r0"])
    assert outcomes(again) == {"over1": "already", "over2": "done", "r0": "refused"}
    assert again["items"][0]["new_run"] == first["items"][0]["new_run"]
    repeat = (await jetstream_log.load("run", first["items"][0]["new_run"])).facts[0]
    assert isinstance(repeat, RunRequested)
    assert (repeat.trigger.rerun_of, repeat.env) == ("over1", {"TOKEN": "s3cret"})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "delete", "ids": ["a"]}, "/action"),
        ({"action": "cancel", "ids": []}, "/ids"),
        ({"action": "cancel"}, "/ids"),
        ({"action": "cancel", "ids": ["a"], "filter": {}}, "/ids"),
        ({"action": "cancel", "filter": {"status": ["lazy"]}}, "/filter/status/0"),
        ({"action": "cancel", "filter": {"sort": "id"}}, "/filter/sort"),
        ({"action": "cancel", "ids": ["a"] * 1001}, "/ids"),
        ({"action": "prioritise", "ids": ["a"]}, "/priority"),
        ({"action": "cancel", "ids": ["a"], "priority": 1}, "/priority"),
        ({"action": "cancel", "ids": ["a"], "same_commit": True}, "/same_commit"),
    ],
)
async def test_what_cannot_be_asked_is_pointed_at(api: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    answer = await api.post("/api/runs/bulk", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_runs_that_are_like_a_filter_are_taken_page_by_page(api: httpx.AsyncClient) -> None:
    like: dict[str, Any] = {"action": "cancel", "filter": {"pipeline": ["hello"], "open": True}}
    would = await bulk(api, **like, dry_run=True)
    assert (would["matched"], would["done"], would["next"]) == (5, 5, None)
    seen: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = await bulk(api, **like, limit=2, **more)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        more = {"cursor": page["next"]}
    assert seen == WAITING[::-1]
    assert (await bulk(api, action="cancel", filter={"pipeline": ["nobody"]}))["items"] == []
