"""Pipelines as the gateway lists and chains them, over HTTP, on a real nats-server."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_cli.__main__ import run
from fastflow_events.aggregates.pipeline.events import PipelineInvalid
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, COMMIT, TREE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats
DEFINITIONS: dict[str, dict[str, Any]] = {
    "bare": {},
    "daily": {
        "secrets": ["TOKEN"],
        "sealed_env": {"PASSWORD": "gAAAA"},
        "tags": ["ETL", "Übersicht"],
        "warnings": ['$: "timout" is not known and ignored'],
    },
    "hourly": {"tags": ["etl-fast"], "params": [{"name": "N", "type": "integer", "required": True}]},
    "yearly": {
        "tags": ["tax"],
        "priority": 5,
        "schedules": [{"id": "eve", "cron": "0 0 31 12 *", "priority": -7, "env": {"DAY": "eve"}}],
    },
}


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows the pipelines above, and an invalid one."""
    for name, definition in DEFINITIONS.items():
        await add(jetstream_log, name, pipeline_discovered(definition=definition))
    await add(
        jetstream_log, "broken", PipelineInvalid(repository="main", commit=COMMIT, tree=TREE, errors=("no JSON",))
    )
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await eventually(lambda: knows_all(client))
        yield client


async def add(log: JetStreamLog, name: str, fact: Any) -> None:
    await log.append(Position(aggregate="pipeline", id=name), [fact], cause=CAUSE)


async def knows_all(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/api/pipelines")
    return answer.status_code == 200 and len(answer.json()["items"]) == len(DEFINITIONS) + 1


async def names(client: httpx.AsyncClient, **params: Any) -> list[str]:
    return [item["name"] for item in (await client.get("/api/pipelines", params=params)).json()["items"]]


async def test_pipelines_are_chosen_by_any_of_several_whole_tags(api: httpx.AsyncClient) -> None:
    assert await names(api) == ["bare", "broken", "daily", "hourly", "yearly"]
    assert await names(api, tags="etl") == ["daily"]
    assert await names(api, tags="ÜBERSICHT , tax,") == ["daily", "yearly"]
    assert await names(api, tags="nothing") == []


async def test_chosen_pipelines_come_in_pages_too(api: httpx.AsyncClient) -> None:
    first = (await api.get("/api/pipelines", params={"tags": "etl,tax", "limit": 1})).json()
    assert ([item["name"] for item in first["items"]], first["next"]) == (["daily"], "daily")
    assert await names(api, tags="etl,tax", limit=1, cursor=first["next"]) == ["yearly"]


async def test_a_param_that_is_a_number_may_be_given_as_one(api: httpx.AsyncClient) -> None:
    accepted = (await api.post("/api/pipelines/hourly/run", json={"params": {"N": 3}})).json()
    assert (await api.get(f"/api/runs/{accepted['id']}")).json()["params"] == {"N": "3"}
    refused = await api.post("/api/pipelines/hourly/run", json={"params": {"N": 3.5}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/params/N")


async def test_a_run_has_the_priority_of_its_configuration_or_its_pipeline_unless_somebody_says_one(
    api: httpx.AsyncClient,
) -> None:
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"run_config_id": "eve"},
        {"priority": 0},
        {"run_config_id": "eve", "priority": 9},
    )
    ids = [(await api.post("/api/pipelines/yearly/run", json=options)).json()["id"] for options in bodies]
    assert [(await api.get(f"/api/runs/{id}")).json()["priority"] for id in ids] == [5, -7, 0, 9]
    again = (await api.put("/api/pipelines/yearly/schedules/often", json={"interval_s": 60})).json()
    assert again["priority"] == 5
    assert (await api.post("/api/pipelines/yearly/run", json={"priority": 1001})).status_code == 422


async def test_a_schedule_names_a_run_configuration_that_is_there(api: httpx.AsyncClient) -> None:
    options = {"interval_s": 60, "run_config_id": "eve"}
    for name, status in (("bare", 422), ("yearly", 200)):
        assert (await api.put(f"/api/pipelines/{name}/schedules/often", json=options)).status_code == status


async def test_variables_and_secrets_of_pipelines_are_listed_by_name(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/secrets/from-pipelines")
    found = [(v["key"], v["pipeline"], v["source"], v["run_config_id"], v["missing"]) for v in answer.json()["items"]]
    assert found == [
        ("PASSWORD", "daily", "encrypted_env", None, False),
        ("TOKEN", "daily", "secrets", None, True),
        ("DAY", "yearly", "default_env", "eve", False),
    ]
    assert "gAAAA" not in answer.text


async def test_a_chain_names_a_run_configuration_that_is_there(api: httpx.AsyncClient) -> None:
    for downstream, config, status in (("bare", "eve", 422), ("yearly", "adam", 422), ("yearly", "eve", 200)):
        body = {"downstream_pipeline": downstream, "run_config_id": config}
        assert (await api.post("/api/pipelines/daily/downstream-triggers", json=body)).status_code == status


async def test_the_command_line_lists_by_tag_with_warnings_and_runs_a_configuration(
    api: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fastflow(*words: str) -> str:
        capsys.readouterr()
        assert await asyncio.to_thread(run, [*words, "--url", str(api.base_url)]) == 0
        return capsys.readouterr().out

    listed = await fastflow("pipelines", "--tag", "etl", "--tag", "tax")
    assert [word in listed for word in ("daily", "timout", "yearly", "hourly")] == [True, True, True, False]
    run_id = (await fastflow("run", "yearly", "--config", "eve", "--priority", "3")).strip()
    run_ = (await api.get(f"/api/runs/{run_id}")).json()
    assert (run_["run_config_id"], run_["priority"]) == ("eve", 3)
