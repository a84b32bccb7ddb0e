"""Requests of other systems over NATS: stored ones, answered ones, and those nobody can handle."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.ids import run_id_of_trigger
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.stream_info import created_at
from fastflow_events.nats.topology import TRIGGERS
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import caught_up, running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows pipeline `hello`."""
    position = Position(aggregate="pipeline", id="hello")
    await jetstream_log.append(position, [pipeline_discovered()], cause=CAUSE)
    async with (
        running_gateway(nats_url, tmp_path) as base,
        httpx.AsyncClient(base_url=base, timeout=20) as client,
    ):
        await caught_up(client.get, jetstream_log)
        yield client


async def trigger(nc: Client, body: bytes, pipeline: str = "hello") -> int:
    return (await nc.jetstream().publish(subjects.trigger(pipeline), body)).seq


async def run_of(nc: Client, seq: int) -> str:
    """The id of the run of a stored request."""
    return run_id_of_trigger(TRIGGERS, await created_at(nc, TRIGGERS), seq)


async def letters(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/api/dead-letters")).json()["items"]
    return found


async def exists(client: httpx.AsyncClient, run_id: str) -> bool:
    return (await client.get(f"/api/runs/{run_id}")).status_code == 200


async def test_the_place_of_a_stored_request_names_its_run(api: httpx.AsyncClient, nc: Client) -> None:
    seq = await trigger(nc, b'{"params": {"a": "1"}}')
    run_id = await run_of(nc, seq)
    await eventually(lambda: exists(api, run_id))
    run = (await api.get(f"/api/runs/{run_id}")).json()
    assert (run["trigger"], run["params"]) == ("nats", {"a": "1"})


async def test_a_stream_that_is_made_again_begins_new_runs(api: httpx.AsyncClient, nc: Client, nats_url: str) -> None:
    ids = []
    for _ in range(3):
        seq = await trigger(nc, b"")
        assert seq == 1
        ids.append(await run_of(nc, seq))
        await eventually(partial(exists, api, ids[-1]))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fastflow_cli", "run-id", "1", "--nats-url", nats_url), stdout=subprocess.PIPE
        )
        assert (await process.communicate())[0].decode().strip() == ids[-1]
        await nc.jetstream().delete_stream(TRIGGERS)
        await deploy(nc)
    assert len({*ids}) == 3


async def test_a_letter_of_a_stream_before_becomes_a_run_of_its_own(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await trigger(nc, b"", "later")
    [letter] = await eventually(partial(letters, api))
    await nc.jetstream().delete_stream(TRIGGERS)
    await deploy(nc)
    seq = await trigger(nc, b"")
    await eventually(partial(exists, api, await run_of(nc, seq)))
    await jetstream_log.append(Position(aggregate="pipeline", id="later"), [pipeline_discovered()], cause=CAUSE)

    async def again() -> str | None:
        answer = await api.post(f"/api/dead-letters/{letter['seq']}/retry")
        return answer.json()["id"] if answer.status_code == 202 else None

    made = await eventually(again)
    assert made != await run_of(nc, seq)
    assert (await api.get(f"/api/runs/{made}")).json()["pipeline"] == "later"


async def test_two_gateways_share_the_stored_requests(
    api: httpx.AsyncClient, nats_url: str, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    async with running_gateway(nats_url, tmp_path / "two", instance="two"):
        wanted = {await run_of(nc, await trigger(nc, b"")) for _ in range(20)}

        async def requested() -> bool:
            found = [r.id async for r in jetstream_log.read("fastflow.evt.run.*.requested")]
            return len(found) == 20 and set(found) == wanted

        await eventually(requested)


@pytest.mark.parametrize(
    ("pipeline", "body", "reason"),
    [
        ("hello", b"garbage", "not JSON"),
        ("hello", b"\xff\x00", "not JSON"),
        ("hello", b'{"evn": {}}', "no such member"),
        ("hello", b'{"env": {"A": 1}}', "expected `str`"),
        ("hello", b'{"env": {"A": "1"}}', "env is for people who operate the pipeline"),
        ("hello", b'{"params": {"BASH_ENV": "/app/x"}}', "BASH_ENV decides which code is executed"),
        ("helo", b"{}", "did you mean hello?"),
    ],
)
async def test_what_cannot_become_a_run_is_kept_where_people_look(
    api: httpx.AsyncClient, nc: Client, pipeline: str, body: bytes, reason: str
) -> None:
    bad = await trigger(nc, body, pipeline)
    good = await trigger(nc, b"")
    await eventually(partial(exists, api, await run_of(nc, good)))
    [letter] = await letters(api)
    assert (letter["subject"], letter["stream_seq"], letter["service"]) == (subjects.trigger(pipeline), bad, "gateway")
    assert reason in letter["reason"]
    assert letter["data"] == body.decode(errors="replace")


async def test_a_name_that_is_no_encoded_name_is_kept_too(api: httpx.AsyncClient, nc: Client) -> None:
    await nc.jetstream().publish("fastflow.trigger.h=XXllo", b"{}")
    await eventually(lambda: letters(api))


async def test_a_letter_is_handled_again_once_its_reason_is_gone(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    seq = await trigger(nc, b'{"params": {"a": "1"}}', "later")
    [letter] = await eventually(lambda: letters(api))
    early = await api.post(f"/api/dead-letters/{letter['seq']}/retry")
    assert (early.status_code, len(await letters(api))) == (400, 1)
    position = Position(aggregate="pipeline", id="later")
    await jetstream_log.append(position, [pipeline_discovered()], cause=CAUSE)
    answer = await api.post(f"/api/dead-letters/{letter['seq']}/retry")
    assert (answer.status_code, answer.json()["id"]) == (202, await run_of(nc, seq))
    assert await letters(api) == []
    assert (await api.post(f"/api/dead-letters/{letter['seq']}/retry")).status_code == 404


async def test_a_discarded_letter_is_off_the_list_and_still_stored(api: httpx.AsyncClient, nc: Client) -> None:
    await trigger(nc, b"garbage")
    [letter] = await eventually(lambda: letters(api))
    assert (await api.delete(f"/api/dead-letters/{letter['seq']}")).status_code == 204
    assert (await letters(api), (await api.delete(f"/api/dead-letters/{letter['seq']}")).status_code) == ([], 404)
    assert (await nc.jetstream().get_msg("FASTFLOW_DEAD", letter["seq"])).data == b"garbage"


async def test_a_letter_of_another_service_cannot_be_handled_from_here(api: httpx.AsyncClient, nc: Client) -> None:
    headers = {"Fastflow-Stream": "FASTFLOW_EVENTS", "Fastflow-Seq": "3", "Fastflow-Consumer": "git_sync-sync"}
    await nc.jetstream().publish(subjects.dead("git_sync"), b"{}", headers=headers)
    [letter] = await letters(api)
    answer = await api.post(f"/api/dead-letters/{letter['seq']}/retry")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:fastflow:dead-letter-not-retryable")


async def test_a_request_is_answered_with_its_run(api: httpx.AsyncClient, nc: Client) -> None:
    answer = json.loads((await nc.request(subjects.request("hello"), b"{}", timeout=10)).data)
    assert set(answer) == {"run_id", "status", "seq"}
    run = (await api.get(f"/api/runs/{answer['run_id']}")).json()
    assert (run["seq"], run["status"], run["trigger"]) == (answer["seq"], "queued", "nats")


@pytest.mark.parametrize(
    ("pipeline", "body", "status"), [("helo", b"{}", 404), ("hello", b"garbage", 400), ("hello", b'{"x": 1}', 422)]
)
async def test_a_request_that_is_refused_is_answered_with_a_problem(
    api: httpx.AsyncClient, nc: Client, pipeline: str, body: bytes, status: int
) -> None:
    answer = json.loads((await nc.request(subjects.request(pipeline), body, timeout=10)).data)
    assert (answer["status"], answer["type"].split(":")[0]) == (status, "urn")


async def test_of_two_gateways_one_answers_a_request(
    api: httpx.AsyncClient, nats_url: str, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    async with running_gateway(nats_url, tmp_path / "two", instance="two"):
        await asyncio.gather(*(nc.request(subjects.request("hello"), b"", timeout=10) for _ in range(20)))
        assert len([r async for r in jetstream_log.read("fastflow.evt.run.*.requested")]) == 20
