"""Schedules over all pipelines, their fires in both directions of time, and what they add up to."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import Trigger
from fastflow_events.aggregates.schedule.events import ScheduleFireMissed, ScheduleFireSkipped
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, run_requested
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows fires that happened on time, late, and not at all."""

    async def say(aggregate: str, id: str, *facts: Any) -> None:
        position = (await jetstream_log.load(aggregate, id)).position
        await jetstream_log.append(position, list(facts), cause=CAUSE)

    now = datetime.now(UTC).replace(microsecond=0)
    hourly = {"schedules": [{"id": "hourly", "cron": "30 * * * *", "timezone": "Europe/Berlin"}], "tags": ["Etl"]}
    await say("pipeline", "hello", pipeline_discovered(definition=hourly))
    await say("pipeline", "often", pipeline_discovered(definition={"cron": "* * * * *"}))
    for run, nominal in (("r1", now), ("r2", now - 2 * HOUR)):
        trigger = Trigger(kind="schedule", who="hourly", schedule="hello:hourly", nominal=nominal)
        await say("run", run, run_requested(trigger=trigger))
    told: dict[str, Any] = {"pipeline": "hello", "reason": "nobody was there", "count": 3}
    await say("schedule", "hello:hourly", ScheduleFireMissed(first=now - 9 * HOUR, last=now - 7 * HOUR, **told))
    await say("schedule", "hello:hourly", ScheduleFireSkipped(first=now - 5 * HOUR, last=now - 3 * HOUR, **told))
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await caught_up(client.get, jetstream_log)
        yield client


async def test_the_schedules_of_all_pipelines_are_one_list(api: httpx.AsyncClient) -> None:
    page = (await api.get("/api/schedules", params={"limit": 1})).json()
    assert [each["id"] for each in page["items"]] == ["hello:hourly"]
    assert (page["items"][0]["text"], len(page["items"][0]["next"])) == ("every hour at minute 30", 1)
    rest = (await api.get("/api/schedules", params={"cursor": page["next"]})).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (["often:default"], None)
    await api.post("/api/pipelines/often/pause", params={"why": "it hurts"})
    [paused] = (await api.get("/api/schedules", params={"paused": True})).json()["items"]
    assert (paused["id"], paused["paused_by"], paused["pauses"][0]["why"], paused["next"]) == (
        "often:default",
        ["pipeline"],
        "it hurts",
        [],
    )
    assert (await api.get("/api/schedules?pipeline=nobody")).json()["items"] == []


async def test_the_agenda_tells_what_became_of_fires_and_what_is_to_come(api: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    times = {"from": (now - 24 * HOUR).isoformat(), "to": (now + 5 * HOUR).isoformat(), "zone": "Europe/Berlin"}
    found = (await api.get("/api/agenda", params={**times, "pipeline": "hello"})).json()
    past = [each for each in found["items"] if each["what"] != "due"]
    assert [(each["what"], each["count"], each["run"], each["reason"]) for each in past] == [
        ("missed", 3, None, "nobody was there"),
        ("skipped", 3, None, "nobody was there"),
        ("run", 1, "r2", ""),
        ("run", 1, "r1", ""),
    ]
    assert past[-1]["counts"] == {"queued": 1}
    due = [each for each in found["items"] if each["what"] == "due"]
    assert (len(due), {each["schedule"] for each in due}) == (5, {"hourly"})
    assert (found["complete"], found["zone"]) == (True, "Europe/Berlin")
    until = {**times, "to": (datetime.now(UTC) + 5 * HOUR).isoformat()}
    of_all = (await api.get("/api/agenda", params=until)).json()["items"]
    folded = [each for each in of_all if each["pipeline"] == "often"]
    assert 5 <= len(folded) <= 6
    assert sum(each["count"] for each in folded) in (299, 300)
    assert max(each["count"] for each in folded) == 60


@pytest.mark.parametrize(
    ("parameter", "given"),
    [("zone", "Mars"), ("to", "1999-01-01T00:00:00Z"), ("to", "2999-01-01T00:00:00Z"), ("from", "soon")],
)
async def test_a_wrong_parameter_of_the_agenda_is_named(api: httpx.AsyncClient, parameter: str, given: str) -> None:
    answer = await api.get("/api/agenda", params={parameter: given})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, parameter)


async def test_changes_of_the_clock_are_remarks_of_the_agenda(api: httpx.AsyncClient) -> None:
    times = {"from": "2031-03-20T00:00:00Z", "to": "2031-04-10T00:00:00Z", "pipeline": "hello"}
    [remark] = (await api.get("/api/agenda", params=times)).json()["remarks"]
    assert (remark["pipeline"], remark["schedule"], remark["text_message"]["code"]) == (
        "hello",
        "hourly",
        "clock.no_fires",
    )


async def test_fires_are_counted_as_on_time_late_skipped_and_missed(api: httpx.AsyncClient) -> None:
    found = (await api.get("/api/stats/fires")).json()
    assert {name: found[name] for name in ("due", "on_time", "late", "skipped", "missed")} == {
        "due": 8,
        "on_time": 1,
        "late": 1,
        "skipped": 3,
        "missed": 3,
    }
    summary = (await api.get("/api/stats/summary")).json()
    assert summary["last_24_h"]["fires_on_time"] == 1 / 8
    assert (summary["last_7_d"]["runs"], summary["last_7_d"]["success_rate"]) == (2, None)
