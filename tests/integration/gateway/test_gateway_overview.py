"""How everything stands, in one answer; and finding things by a few letters."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.pipeline.events import PipelineInvalid
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.aggregates.secret.events import SecretSet
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import beat
from fastflow_events.testing.builders import (
    CAUSE,
    COMMIT,
    RUNNER,
    TREE,
    attempt_finished,
    heartbeat,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
)
from fastflow_gateway.testing import caught_up, running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats

KEY_ERROR = ScriptError(type="KeyError", message="'sku'", file="main.py", line=41, log_line=12)


@pytest_asyncio.fixture
async def api(
    nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows pipelines that are well, that fail, that are wrong, and runs in every state."""

    async def say(aggregate: str, id: str, *facts: Any) -> None:
        position = (await jetstream_log.load(aggregate, id)).position
        await jetstream_log.append(position, list(facts), cause=CAUSE)

    async def over(run: str, pipeline: str, *, failed: bool) -> None:
        ending: dict[str, Any] = {"outcome": "failed", "exit_code": 1} if failed else {}
        error: dict[str, Any] = {"error": KEY_ERROR} if failed else {}
        await say(
            "run",
            run,
            run_requested(pipeline=pipeline),
            run_dispatched(),
            run_claimed(),
            run_started(),
            attempt_finished(**ending, **error),
            run_finished(outcome="failed" if failed else "succeeded"),
        )

    tagged = {"tags": ["Etl"], "schedules": [{"id": "nightly", "cron": "0 3 * * *"}]}
    await say("pipeline", "load_orders", pipeline_discovered(definition=tagged))
    await say("pipeline", "mended", pipeline_discovered())
    wrong = PipelineInvalid(repository="main", commit=COMMIT, tree=TREE, errors=("$.timeout: found text",))
    await say("pipeline", "wrong", wrong)
    await over("aaaa1", "load_orders", failed=False)
    await over("aaaa2", "load_orders", failed=True)
    await over("aaaa3", "load_orders", failed=True)
    await over("bbbb1", "mended", failed=True)
    await over("bbbb2", "mended", failed=False)
    await say("run", "cccc1", run_requested(pipeline="mended"), run_dispatched(), run_claimed(), run_started())
    await say("run", "cccc2", run_requested(pipeline="mended", commit="d" * 40))
    await say("secret", "SHOP_TOKEN", SecretSet(version=3, sealed="v1:x25519:abc:hidden", who="ann"))
    await beat(nc, heartbeat(RUNNER, running=1))
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await caught_up(client.get, jetstream_log)
        yield client


async def test_one_answer_paints_the_whole_page(api: httpx.AsyncClient) -> None:
    found = (await api.get("/api/overview")).json()
    assert found["health"] == "attention"
    assert {each["kind"] for each in found["warnings"]} == {"failures", "pipeline"}
    [failure] = found["failures"]
    assert (failure["pipeline"], failure["error"]["type"], failure["run"], failure["count"]) == (
        "load_orders",
        "KeyError",
        "aaaa3",
        2,
    )
    [running] = found["running"]
    assert (running["id"], running["unreachable"], running["usual"], running["last_line"]) == (
        "cccc1",
        False,
        None,
        None,
    )
    assert [(wait["id"], wait["position"]) for wait in found["waits"]] == [("cccc2", 1)]
    assert [(fire["pipeline"], fire["schedule"]) for fire in found["next"]] == [("load_orders", "nightly")]
    assert found["slots"] == {"used": 1, "total": 4, "runners": 1}
    assert found["by_status"] == {"queued": 1, "running": 1}
    assert (found["last_24_h"]["runs"], found["last_24_h"]["success_rate"]) == (7, 2 / 5)
    assert (found["paused"], found["pipelines"]) == (None, 3)


async def test_whoever_paused_everything_is_named(api: httpx.AsyncClient) -> None:
    await api.post("/api/pause", params={"why": "the warehouse moves"})
    paused = (await api.get("/api/overview")).json()["paused"]
    assert (paused["what"], paused["why"]) == ("everything", "the warehouse moves")


async def test_a_few_letters_find_pipelines_runs_commits_tags_and_secrets(api: httpx.AsyncClient) -> None:
    async def named(q: str) -> dict[str, list[str]]:
        found = (await api.get("/api/search", params={"q": q})).json()
        keys = {"pipelines": "name", "runs": "id", "commits": "commit", "tags": "tag", "secrets": "name"}
        return {kind: [each[key] for each in found[kind]] for kind, key in keys.items() if found[kind]}

    assert await named("ORDERS") == {"pipelines": ["load_orders"]}
    assert await named("aaaa") == {"runs": ["aaaa1", "aaaa2", "aaaa3"]}
    assert await named("dddd") == {"commits": ["d" * 40]}
    assert await named("etl") == {"tags": ["etl"]}
    assert await named("token") == {"secrets": ["SHOP_TOKEN"]}
    assert await named("nothing at all") == {}
    assert (await api.get("/api/search", params={"q": ""})).status_code == 400
    assert "hidden" not in (await api.get("/api/search", params={"q": "token"})).text


async def test_the_list_of_pipelines_is_narrowed_sorted_and_shows_their_runs(api: httpx.AsyncClient) -> None:
    async def names(**params: Any) -> list[str]:
        return [each["name"] for each in (await api.get("/api/pipelines", params=params)).json()["items"]]

    everything = ["load_orders", "mended", "wrong"]
    assert await names() == everything
    assert await names(q="ORD") == ["load_orders"]
    assert await names(tag="ETL") == await names(tags="etl,daily") == ["load_orders"]
    assert await names(status=["invalid", "failing"]) == ["load_orders", "wrong"]
    assert await names(repository="elsewhere") == []
    assert await names(sort="last") == ["mended", "load_orders", "wrong"]
    assert await names(sort="next") == everything
    assert await names(sort="success") == ["load_orders", "mended", "wrong"]
    first = (await api.get("/api/pipelines", params={"sort": "last", "limit": 2})).json()
    assert await names(sort="last", cursor=first["next"]) == ["wrong"]
    found = (await api.get("/api/pipelines", params={"include": "stats,last,next"})).json()["items"][0]
    assert found["stats"] == {"runs_30_d": 3, "success_30_d": 1 / 3, "p50_s": None, "p95_s": None}
    assert [(run["id"], run["status"]) for run in found["last"]] == [
        ("aaaa3", "failed"),
        ("aaaa2", "failed"),
        ("aaaa1", "succeeded"),
    ]
    assert (found["running"], found["next"]["schedule"], found["pause"]) == (0, "nightly", None)
    plain = (await api.get("/api/pipelines")).json()["items"][0]
    assert (plain["stats"], plain["last"], plain["next"]) == (None, None, None)
    assert (await api.get("/api/pipelines", params={"include": "all"})).status_code == 400


async def test_days_pipelines_and_rankings_are_counted(api: httpx.AsyncClient) -> None:
    today = (await api.get("/api/stats/days", params={"days": 2, "tz": "Asia/Kolkata"})).json()["items"]
    assert len(today) == 2
    assert sum(day["runs"] for day in today) == 7
    one = (await api.get("/api/stats/days", params={"days": 2, "tag": "etl", "tz": "Asia/Kolkata"})).json()["items"]
    assert [day["by_status"] for day in one if day["runs"]] == [{"failed": 2, "succeeded": 1}]
    wide = (await api.get("/api/stats/days", params={"days": 200, "pipeline": "load_orders"})).json()["items"]
    assert (len(wide), sum(day["runs"] for day in wide)) == (200, 3)
    stats = (await api.get("/api/pipelines/load_orders/stats", params={"days": 2})).json()
    assert (stats["totals"]["runs"], stats["totals"]["streak"]) == (3, {"status": "failed", "runs": 2})
    assert [run["id"] for run in stats["runs"]] == ["aaaa3", "aaaa2", "aaaa1"]
    assert (await api.post("/api/pipelines/load_orders/stats/reset", params={"why": "new data"})).status_code == 204
    anew = (await api.get("/api/pipelines/load_orders/stats")).json()
    assert (anew["totals"]["runs"], sum(day["runs"] for day in anew["days"])) == (0, 0)
    top = (await api.get("/api/stats/top", params={"by": "failures"})).json()
    assert [(each["pipeline"], each["value"]) for each in top["items"]] == [("load_orders", 2), ("mended", 1)]
    assert (await api.get("/api/stats/days", params={"tz": "Mars"})).status_code == 400
    assert (await api.get("/api/stats/days", params={"from": "2026-02-01", "to": "2026-01-01"})).status_code == 400
    assert (await api.get("/api/pipelines/nobody/stats")).status_code == 404
    assert (await api.post("/api/pipelines/nobody/stats/reset")).status_code == 404
