"""What has run is shown, and run once more, over HTTP, on a real nats-server."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import ConcludeRun, RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import (
    CAUSE,
    COMMIT,
    attempt_finished,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_finished,
    run_started,
    version_stored,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats
OLDER = "e" * 40
MEANT = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows pipeline `hello`, and run `old` of it, fired by a schedule at an older commit."""
    schedules = [{"id": "nightly", "cron": "0 3 * * *"}]
    hello = pipeline_discovered(definition={"schedules": schedules})
    await jetstream_log.append(Position(aggregate="pipeline", id="hello"), [hello], cause=CAUSE)
    wanted = RunRequested(
        pipeline="hello",
        trigger=Trigger(kind="schedule", schedule="hello:nightly", nominal=MEANT, upstream_run="before"),
        commit=OLDER,
        run_config_id="nightly",
        env={"A": "1"},
        params={"b": "2"},
    )
    await jetstream_log.append(Position(aggregate="run", id="old"), [wanted], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await eventually(lambda: is_ready(client))
        yield client


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def end(log: JetStreamLog) -> None:
    await execute(log, run_decider, "old", RequestCancel(who="ann"), cause=CAUSE)
    await execute(log, run_decider, "old", ConcludeRun(), cause=CAUSE)


async def requested(log: JetStreamLog, run_id: str) -> RunRequested:
    fact = (await log.load("run", run_id)).facts[0]
    assert isinstance(fact, RunRequested)
    return fact


async def test_a_run_that_is_over_is_repeated_with_all_it_was_given_at_the_heads_code(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await end(jetstream_log)
    answer = await api.post("/api/runs/old/retry")
    assert answer.status_code == 202
    again = (await api.get(answer.headers["location"])).json()
    assert (again["rerun_of"], again["params"], again["run_config_id"], again["commit"], again["nominal"]) == (
        "old",
        {"b": "2"},
        "nightly",
        COMMIT,
        "2026-01-31T03:00:00.000000Z",
    )
    asked = await requested(jetstream_log, again["id"])
    assert (asked.env, asked.trigger.rerun_after) == ({"A": "1"}, "before")
    assert (asked.trigger.kind, asked.trigger.schedule) == ("http", None), "no fire of the schedule is taken away"
    body = (await api.get(f"/api/runs/{again['id']}/why")).json()["lines"]
    assert body[0]["run"] == "old"
    assert "asked over http for run old once more" in body[-1]["text"]


async def test_a_run_is_repeated_at_its_own_code_where_that_is_wanted(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await end(jetstream_log)
    history = await jetstream_log.load("pipeline", "hello")
    await jetstream_log.append(history.position, [version_stored(commit=OLDER)], cause=CAUSE)
    answer = await api.post("/api/runs/old/retry", params={"same_commit": "true"})
    assert (await requested(jetstream_log, answer.json()["id"])).commit == OLDER


async def test_repeating_twice_with_one_key_is_repeating_once(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await end(jetstream_log)
    answers = [await api.post("/api/runs/old/retry", headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert (await api.post("/api/runs/old/retry")).json()["id"] != answers[0].json()["id"]


async def test_a_run_shows_its_route_and_its_result_where_it_is_looked_at_alone(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    position = (await jetstream_log.load("run", "old")).position
    ended = attempt_finished(route="full", result={"rows": 3})
    facts = [run_dispatched(), run_claimed(), run_started(), ended, run_finished()]
    await jetstream_log.append(position, facts, cause=CAUSE)

    async def over() -> bool:
        return bool((await api.get("/api/runs/old")).json()["status"] == "succeeded")

    await eventually(over)
    alone = (await api.get("/api/runs/old")).json()
    assert (alone["route"], alone["result"], alone["result_error"]) == ("full", {"rows": 3}, "")
    [listed] = (await api.get("/api/runs")).json()["items"]
    assert (listed["route"], listed["result"]) == ("full", None)
    body = (await api.get("/api/runs/old/why")).json()["lines"]
    assert any("ended: succeeded (route full)" in line["text"] for line in body)


async def test_a_run_that_goes_on_and_one_that_never_was_are_not_repeated(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/runs/old/retry")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:fastflow:run-not-over")
    assert (await api.post("/api/runs/never/retry")).status_code == 404


async def test_a_run_is_repeated_with_what_shall_be_different(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await end(jetstream_log)
    body = {"params": {"b": 3}, "env": {"B": "4"}, "unset": ["A"], "same_commit": True, "priority": 5}
    key = {"Idempotency-Key": "monday"}
    await jetstream_log.append(
        (await jetstream_log.load("pipeline", "hello")).position, [version_stored(commit=OLDER)], cause=CAUSE
    )
    answer = await api.post("/api/runs/old/rerun", json=body, headers=key)
    assert answer.status_code == 202, answer.text
    asked = await requested(jetstream_log, answer.json()["id"])
    assert (asked.env, asked.params, asked.commit, asked.priority) == ({"B": "4"}, {"b": "3"}, OLDER, 5)
    assert (asked.trigger.rerun_of, asked.run_config_id) == ("old", "nightly")
    assert (await api.post("/api/runs/old/rerun", json=body, headers=key)).json() == answer.json()
    other = await api.post("/api/runs/old/rerun", json={}, headers=key)
    assert other.json()["type"] == "urn:fastflow:idempotency-key-reused"
    kept = await api.post("/api/runs/old/rerun")
    assert (await requested(jetstream_log, kept.json()["id"])).env == {"A": "1"}
    refused = await api.post("/api/runs/old/rerun", json={"unset": ["C"]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/unset/0")
