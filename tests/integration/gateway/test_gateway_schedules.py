"""Schedules, chains and backfills over HTTP."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.backfill.events import BackfillRequested
from fastflow_events.aggregates.schedule.events import SchedulePaused, ScheduleSet
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats

RANGE = {"schedule": "nightly", "after": "2026-01-01T00:00:00Z", "until": "2026-01-04T12:00:00Z"}


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows two pipelines, one with a schedule and a chain to the other."""
    fields = {"schedules": [{"id": "nightly", "cron": "0 3 * * *"}], "downstream": [{"pipeline": "other"}]}
    for name, definition in {"hello": fields, "other": {}}.items():
        found = pipeline_discovered(definition=definition)
        await jetstream_log.append(Position(aggregate="pipeline", id=name), [found], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:

        async def known() -> bool:
            return len((await client.get("/api/pipelines")).json()["items"]) == 2

        await eventually(known)
        yield client


async def test_schedules_of_the_file_and_of_the_api_stand_side_by_side(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    path = "/api/pipelines/hello/schedules"
    answer = await api.put(f"{path}/often", json={"interval_s": 60, "params": {"A": "1"}})
    assert (answer.status_code, answer.json()["id"], len(answer.json()["next"])) == (200, "hello:often", 5)
    listed = (await api.get(path)).json()["items"]
    assert {(s["name"], s["source"]) for s in listed} == {("nightly", "file"), ("often", "api")}
    instants = (await api.get(f"{path}/nightly/next?count=400")).json()["items"]
    assert len(instants) == 400
    assert all("T03:00:00Z" in at for at in instants)
    [fact] = (await jetstream_log.load("schedule", "hello:often")).facts
    assert isinstance(fact, ScheduleSet)
    assert (await api.delete(f"{path}/often")).status_code == 204
    assert [s["name"] for s in (await api.get(path)).json()["items"]] == ["nightly"]


async def test_a_schedule_of_the_file_can_be_paused_and_not_replaced(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    path = "/api/pipelines/hello/schedules/nightly"
    assert (await api.post(f"{path}/pause")).status_code == 204
    [shown] = (await api.get("/api/pipelines/hello/schedules")).json()["items"]
    assert (shown["paused"], shown["next"]) == (True, [])
    assert isinstance((await jetstream_log.load("schedule", "hello:nightly")).facts[0], SchedulePaused)
    assert (await api.post(f"{path}/resume")).status_code == 204
    assert (await api.put(path, json={"interval_s": 60})).status_code == 422
    assert (await api.delete(path)).status_code == 404
    assert (await api.put("/api/pipelines/hello/schedules/x", json={"cron": "soon"})).status_code == 422
    assert (await api.put("/api/pipelines/hello/schedules/x", json={})).status_code == 422
    assert (await api.get("/api/pipelines/nobody/schedules")).status_code == 404


async def test_schedules_have_no_next_fire_while_their_pipeline_or_everything_is_paused_or_it_is_disabled(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    async def seen(pipeline: str = "hello") -> tuple[bool, list[str], bool]:
        shown = (await api.get(f"/api/pipelines/{pipeline}/schedules")).json()["items"][0]
        return shown["enabled"], shown["paused_by"], bool(shown["next"])

    await api.post("/api/pipelines/hello/pause")
    await api.post("/api/pause")

    async def paused() -> bool:
        return await seen() == (True, ["pipeline", "everything"], False)

    await eventually(paused)
    await api.post("/api/resume")
    await api.post("/api/pipelines/hello/resume")

    async def resumed() -> bool:
        return await seen() == (True, [], True)

    await eventually(resumed)
    off = pipeline_discovered(definition={"enabled": False})
    await jetstream_log.append(Position(aggregate="pipeline", id="off"), [off], cause=CAUSE)
    made = await api.put("/api/pipelines/off/schedules/x", json={"interval_s": 60})
    assert (made.status_code, made.json()["enabled"], made.json()["next"]) == (200, False, [])


async def test_a_backfill_is_previewed_then_asked_for_then_cancelled(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    path = "/api/pipelines/hello/backfills"
    preview = (await api.post(path, json={**RANGE, "preview": True})).json()
    assert (preview["id"], len(preview["instants"])) == (None, 4)
    made = (await api.post(path, json={**RANGE, "concurrency": 2})).json()
    assert [each["at"] for each in made["instants"]] == [each["at"] for each in preview["instants"]]
    assert [each["run"] for each in preview["instants"]] == [None] * 4
    [fact] = (await jetstream_log.load("backfill", made["id"])).facts
    assert isinstance(fact, BackfillRequested)
    assert (fact.concurrency, fact.run_config_id, len(fact.instants)) == (2, "nightly", 4)
    assert (await api.post(f"/api/backfills/{made['id']}/cancel")).status_code == 204
    shown = (await api.get(f"/api/backfills/{made['id']}")).json()
    assert [(each["at"], each["status"]) for each in shown["instants"]] == [
        (each["at"], None) for each in made["instants"]
    ]
    assert (shown["pipeline"], shown["concurrency"], shown["cancelled"], shown["cancel"]["why"]) == (
        "hello",
        2,
        True,
        "",
    )
    [listed] = (await api.get("/api/backfills?pipeline=hello")).json()["items"]
    assert (listed["id"], listed["instants"], listed["total"]) == (made["id"], None, 4)
    assert (await api.post(path, json={**RANGE, "until": "2025-01-01T00:00:00Z"})).status_code == 422
    assert (await api.get("/api/backfills/nobody")).status_code == 404


async def test_chains_of_the_file_and_of_the_api_make_one_graph(api: httpx.AsyncClient) -> None:
    path = "/api/pipelines/other/downstream-triggers"
    made = await api.post(path, json={"downstream_pipeline": "hello", "on_failure": True})
    assert made.status_code == 200
    again = await api.post(path, json={"downstream_pipeline": "hello"})
    assert again.status_code == 409
    graph = (await api.get("/api/pipelines/graph")).json()
    assert [(e["upstream"], e["downstream"], e["source"]) for e in graph["edges"]] == [
        ("hello", "other", "file"),
        ("other", "hello", "api"),
    ]
    assert graph["cycles"] == [["hello", "other", "hello"]]
    assert (await api.post(path, json={"downstream_pipeline": "nobody"})).status_code == 404
    assert (await api.delete(f"/api/pipelines/hello/downstream-triggers/{made.json()['id']}")).status_code == 404
    assert (await api.delete(f"{path}/{made.json()['id']}")).status_code == 204
    assert (await api.get("/api/pipelines/graph")).json()["cycles"] == []


@pytest.mark.parametrize(
    ("member", "fields"),
    [
        ("end", {"cron": "0 3 * * *", "end": "9999-12-31T23:59:59-05:00"}),
        ("start", {"cron": "0 3 * * *", "start": "0001-01-01T00:00:00+05:00"}),
        ("at", {"at": "9999-12-31T23:59:59-05:00"}),
        ("at", {"at": "0001-01-01T00:00:00+05:00"}),
        ("timezone", {"cron": "@daily", "timezone": "localtime"}),
    ],
)
async def test_times_that_cannot_be_computed_with_are_refused_before_anything_is_stored(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog, member: str, fields: dict[str, object]
) -> None:
    answer = await api.put("/api/pipelines/hello/schedules/x", json=fields)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{member}")
    assert not (await jetstream_log.load("schedule", "hello:x")).facts


async def test_schedules_and_backfills_reach_to_the_ends_of_the_calendar(api: httpx.AsyncClient) -> None:
    path = "/api/pipelines/hello/schedules"
    fields = {
        "cron": "0 3 * * *",
        "start": "0001-01-01T00:00:00Z",
        "end": "9999-12-31T23:59:59Z",
        "timezone": "Asia/Tokyo",
    }
    answer = await api.put(f"{path}/x", json=fields)
    assert (answer.status_code, len(answer.json()["next"])) == (200, 5)
    for until in ("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00"):
        assert (await api.get(f"{path}/x/next", params={"until": until})).status_code == 200
        for after in ("0001-01-01T00:00:00+05:00", "2026-01-01T00:00:00Z"):
            options = {"schedule": "x", "after": after, "until": until, "preview": True}
            assert (await api.post("/api/pipelines/hello/backfills", json=options)).status_code == 422
