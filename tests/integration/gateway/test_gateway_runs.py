"""The gateway as it is shipped, over HTTP, on a real nats-server: pipelines and runs."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio
from fastflow_events.aggregates.pipeline.events import PipelineInvalid, PipelineRemoved
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.aggregates.run.commands import ConcludeRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.message import Statement
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, COMMIT, TREE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.core.errors import finding as finding_of
from fastflow_gateway.core.faults import NoSuchMember, OtherRunConfigurations
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows pipeline `hello`."""
    await add(jetstream_log, "hello", pipeline_discovered())
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await eventually(lambda: is_ready(client))
        yield client


async def add(log: JetStreamLog, name: str, *facts: object) -> None:
    position = (await log.load("pipeline", name)).position
    await log.append(position, list(facts), cause=CAUSE)  # type: ignore[arg-type]


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def ask(client: httpx.AsyncClient, pipeline: str = "hello", **more: object) -> httpx.Response:
    return await client.post(f"/api/pipelines/{pipeline}/run", **more)  # type: ignore[arg-type]


def finding(words: Statement, pointer: str | None = None) -> object:
    return msgspec.to_builtins(finding_of(words, pointer))


def problem(response: httpx.Response) -> dict[str, object]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["status"] == response.status_code
    return body


async def test_a_run_is_accepted_with_its_place_and_is_there_at_once(api: httpx.AsyncClient) -> None:
    answer = await ask(api, json={"env": {"A": "1"}, "params": {"b": "2"}})
    assert answer.status_code == 202
    accepted = answer.json()
    assert (accepted["pipeline"], accepted["status"], answer.headers["location"]) == (
        "hello",
        "queued",
        f"/api/runs/{accepted['id']}",
    )
    run = (await api.get(answer.headers["location"])).json()
    assert (run["seq"], run["params"], run["env"], run["commit"]) == (accepted["seq"], {"b": "2"}, ["A"], COMMIT)


async def test_every_run_is_there_right_after_it_was_asked_for(api: httpx.AsyncClient) -> None:
    for _ in range(20):
        location = (await ask(api)).headers["location"]
        assert (await api.get(location)).status_code == 200


async def test_what_another_gateway_accepted_is_there_at_once(
    api: httpx.AsyncClient, nats_url: str, tmp_path: Path
) -> None:
    async with (
        running_gateway(nats_url, tmp_path / "two", instance="two") as base,
        httpx.AsyncClient(base_url=base) as other,
    ):
        for _ in range(10):
            location = (await ask(api)).headers["location"]
            assert (await other.get(location)).status_code == 200


async def test_two_gateways_and_one_key_make_one_run(
    api: httpx.AsyncClient, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    async with (
        running_gateway(nats_url, tmp_path / "two", instance="two") as base,
        httpx.AsyncClient(base_url=base) as other,
    ):
        key = {"Idempotency-Key": "monday"}
        answers = await asyncio.gather(*(ask(client, headers=key) for client in (api, other) * 5))
    assert {answer.status_code for answer in answers} == {202}
    assert len({(answer.json()["id"], answer.json()["seq"]) for answer in answers}) == 1
    assert len([r async for r in jetstream_log.read("fastflow.evt.run.*.requested")]) == 1


async def test_a_key_outlives_the_pipeline_and_says_what_became_of_the_run(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    key = {"Idempotency-Key": "monday"}
    first = (await ask(api, headers=key)).json()
    await api.post(f"/api/runs/{first['id']}/cancel")
    await execute(jetstream_log, run_decider, first["id"], ConcludeRun(), cause=CAUSE)
    await add(jetstream_log, "hello", PipelineRemoved(repository="main", commit=COMMIT))
    await eventually(lambda: gone(api, "hello"))
    again = (await ask(api, headers=key)).json()
    assert again == {**first, "status": "cancelled"}


async def gone(client: httpx.AsyncClient, name: str) -> bool:
    return (await client.get(f"/api/pipelines/{name}")).status_code == 404


async def test_a_key_does_not_stand_for_two_wishes(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "monday"}
    await ask(api, headers=key, json={"params": {"a": "1"}})
    assert problem(await ask(api, headers=key, json={"params": {"a": "2"}}))["type"] == (
        "urn:fastflow:idempotency-key-reused"
    )


async def test_the_same_key_for_another_pipeline_is_another_run(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await add(jetstream_log, "other", pipeline_discovered())
    key = {"Idempotency-Key": "monday"}
    assert (await ask(api, headers=key)).json()["id"] != (await ask(api, "other", headers=key)).json()["id"]


async def test_a_pipeline_is_known_as_soon_as_it_is_in_the_log(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    for n in range(10):
        await add(jetstream_log, f"new {n} é.x", pipeline_discovered())
        assert (await ask(api, f"new {n} é.x")).status_code == 202


async def test_an_unknown_pipeline_is_not_found_and_a_near_one_is_named(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "helo")
    assert answer.status_code == 404
    assert "did you mean hello?" in str(problem(answer)["detail"])
    assert problem(await api.get("/api/pipelines/helo"))["status"] == 404


async def test_an_invalid_pipeline_says_why_and_never_runs(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    invalid = PipelineInvalid(repository="main", commit=COMMIT, tree=TREE, errors=("timeout: found -1",))
    await add(jetstream_log, "broken", invalid)
    answer = await ask(api, "broken")
    assert (answer.status_code, problem(answer)["errors"]) == (
        409,
        [
            {
                "detail": "timeout: found -1",
                "detail_message": {"code": "verbatim", "args": {"text": "timeout: found -1"}},
            }
        ],
    )
    shown = (await api.get("/api/pipelines/broken")).json()
    assert (shown["status"], shown["errors"], shown["definition"]) == ("invalid", ["timeout: found -1"], None)


async def test_a_disabled_pipeline_does_not_run(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    await add(jetstream_log, "off", pipeline_discovered(definition={"enabled": False}))
    answer = await ask(api, "off")
    assert answer.status_code == 409
    assert "enabled: false" in str(problem(answer)["detail"])


async def test_a_run_configuration_must_be_one_of_the_pipelines(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    definition = {"schedules": [{"id": "nightly", "cron": "0 3 * * *"}]}
    await add(jetstream_log, "timed", pipeline_discovered(definition=definition))
    assert (await ask(api, "timed", json={"run_config_id": "nightly"})).status_code == 202
    answer = await ask(api, "timed", json={"run_config_id": "weekly"})
    assert (answer.status_code, problem(answer)["errors"]) == (
        422,
        [finding(OtherRunConfigurations(("nightly",)), "/run_config_id")],
    )


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[]", 422, ""),
        (b'{"env": {"A": 1}}', 422, "/env/A"),
        (b'{"paramz": {}}', 422, "/paramz"),
        (b'{"commit": "main"}', 422, "/commit"),
        (b'{"env": {"PYTHONWARNINGS": "all:0:antigravity.x:0:0"}}', 422, "/env/PYTHONWARNINGS"),
        (b'{"params": {"BROWSER": "/bin/sh -c #%s"}}', 422, "/params/BROWSER"),
        (b'{"env": {"A": "1\\u0000"}}', 422, "/env/A"),
        pytest.param(b'"' + b"x" * 1_100_000 + b'"', 413, None, id="too-large"),
    ],
)
async def test_a_bad_body_is_refused_with_a_pointer(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog, body: bytes, status: int, pointer: str | None
) -> None:
    answer = await ask(api, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    found = problem(answer)
    if pointer is not None:
        assert [one["pointer"] for one in found["errors"]] == [pointer]  # type: ignore[attr-defined]
    assert [r async for r in jetstream_log.read("fastflow.evt.run.>")] == []


async def test_a_wish_too_large_for_a_fact_is_refused(api: httpx.AsyncClient) -> None:
    answer = await ask(api, json={"env": {f"V{n}": "x" * 10_000 for n in range(10)}})
    assert answer.status_code == 400
    assert problem(answer)["type"] == "urn:fastflow:too-large"


async def test_a_foreign_page_cannot_start_anything(api: httpx.AsyncClient) -> None:
    answer = await ask(api, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, problem(answer)["type"]) == (403, "urn:fastflow:foreign-origin")


async def test_what_does_not_exist_and_what_is_not_allowed_are_problems_too(api: httpx.AsyncClient) -> None:
    assert problem(await api.get("/nowhere"))["status"] == 404
    assert problem(await api.delete("/api/runs"))["status"] == 405
    assert problem(await api.get("/api/runs/unknown"))["status"] == 404
    assert problem(await api.get("/api/runs", params={"limit": "many"}))["status"] == 400
    assert problem(await api.get("/api/runs", params={"cursor": "x"}))["status"] == 400
    assert problem(await api.get("/api/runs", params={"status": "odd"}))["status"] == 400


async def test_runs_come_page_by_page_newest_first(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    await add(jetstream_log, "other", pipeline_discovered())
    asked = [(await ask(api, "other" if n % 3 == 0 else "hello")).json() for n in range(7)]
    await caught_up(api.get, jetstream_log)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        page = (await api.get("/api/runs", params=params)).json()
        seen += [run["id"] for run in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [run["id"] for run in reversed(asked)]
    only = (await api.get("/api/runs", params={"pipeline": "other"})).json()["items"]
    assert [run["id"] for run in only] == [asked[n]["id"] for n in (6, 3, 0)]


async def test_a_cancel_is_asked_for_once_and_ends_the_run(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    run = (await ask(api)).json()
    first = await api.post(f"/api/runs/{run['id']}/cancel", params={"why": "wrong input"})
    again = await api.post(f"/api/runs/{run['id']}/cancel")
    assert (first.status_code, first.json()) == (202, again.json())
    await execute(jetstream_log, run_decider, run["id"], ConcludeRun(), cause=CAUSE)
    late = await api.post(f"/api/runs/{run['id']}/cancel")
    assert (late.status_code, problem(late)["type"]) == (409, "urn:fastflow:run-not-active")
    await caught_up(api.get, jetstream_log)
    by_status = (await api.get("/api/runs", params={"status": ["cancelled", "failed"]})).json()["items"]
    assert [one["id"] for one in by_status] == [run["id"]]
    assert problem(await api.post("/api/runs/unknown/cancel"))["status"] == 404


async def test_a_sync_is_asked_of_every_repository_or_of_one(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    assert problem(await api.post("/api/sync"))["status"] == 409
    for name in ("main", "other"):
        configured = RepositoryConfigured(url="file:///r", branch="main")
        await jetstream_log.append(Position(aggregate="repository", id=name), [configured], cause=CAUSE)
    await caught_up(api.get, jetstream_log)
    answer = await api.post("/api/sync")
    assert (answer.status_code, [one["repository"] for one in answer.json()["items"]]) == (202, ["main", "other"])
    one = await api.post("/api/sync", json={"repository": "other"})
    assert [sync["repository"] for sync in one.json()["items"]] == ["other"]
    assert problem(await api.post("/api/sync", json={"repository": "third"}))["status"] == 404
    refused = problem(await api.post("/api/sync", json={"what": 1}))
    assert refused["errors"] == [finding(NoSuchMember(), "/what")]
    requested = [r.id async for r in jetstream_log.read("fastflow.evt.repository.*.sync_requested")]
    assert requested == ["main", "other", "other"]
    shown = (await api.get("/api/repositories")).json()["items"]
    assert [(row["name"], row["url"]) for row in shown] == [("main", "file:///r"), ("other", "file:///r")]


async def test_health_and_metrics_are_served(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health/live")).json()["status"] == "ok"
    await ask(api)
    metrics = (await api.get("/metrics")).text
    assert 'fastflow_facts_appended_total{type="run.requested.v1"}' in metrics
    assert "fastflow_projection_lag_facts" in metrics
