"""Secrets over HTTP: values go in and never come out."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.keyring.commands import PublishKey
from fastflow_events.aggregates.keyring.decider import keyring_decider
from fastflow_events.aggregates.keyring.events import KEYRING
from fastflow_events.aggregates.secret.decider import secret_decider
from fastflow_events.execute import execute
from fastflow_events.nats.direct_get import get_all
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.topology import EVENTS
from fastflow_events.sealing import (
    for_secret,
    for_variable,
    key_id,
    new_private_key,
    parse,
    public_key_of,
    seal,
    unseal,
)
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats

PRIVATE = new_private_key()
PUBLIC = public_key_of(PRIVATE)
VALUE = 'hunter22 and "more"'


@pytest_asyncio.fixture
async def empty(nats_url: str, nc: Client, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway before any runner has started."""
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        yield client


@pytest_asyncio.fixture
async def api(empty: httpx.AsyncClient, jetstream_log: JetStreamLog) -> httpx.AsyncClient:
    await publish(jetstream_log, PUBLIC)
    return empty


async def publish(log: JetStreamLog, public_key: bytes) -> None:
    command = PublishKey(key_id=key_id(public_key), public_key=base64.b64encode(public_key).decode(), runner="r1")
    await execute(log, keyring_decider, KEYRING, command, cause=CAUSE)


async def opened(log: JetStreamLog, name: str, version: int) -> str:
    secret = secret_decider.fold((await log.load("secret", name)).facts)
    assert secret.version == version
    return unseal(PRIVATE, for_secret(name, version), parse(secret.sealed).box)


async def listed(api: httpx.AsyncClient) -> dict[str, int]:
    return {item["name"]: item["version"] for item in (await api.get("/api/secrets")).json()["items"]}


async def test_a_value_is_sealed_and_only_its_name_and_version_come_out(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog, nc: Client
) -> None:
    answer = await api.put("/api/secrets/TOKEN", json={"value": VALUE})
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert (await api.put("/api/secrets/TOKEN", json={"value": VALUE})).json()["version"] == 2
    assert await opened(jetstream_log, "TOKEN", 2) == VALUE
    await eventually(lambda: listed(api))
    pages = [await api.get(path) for path in ("/api/secrets", "/api/secrets/TOKEN", "/api/events?tail=50")]
    assert all(page.status_code == 200 for page in pages)
    [shown] = pages[0].json()["items"]
    assert shown == pages[1].json()
    assert (shown["name"], shown["version"], shown["key_id"], shown["removed"]) == ("TOKEN", 2, key_id(PUBLIC), False)
    stored = [s.data async for s in get_all(nc, EVENTS, subject=subjects.EVENTS)]
    secret = secret_decider.fold((await jetstream_log.load("secret", "TOKEN")).facts)
    assert all("hunter22" not in page.text and secret.sealed not in page.text for page in pages)
    assert f"sealed:v1:{key_id(PUBLIC)}:***" in pages[2].text
    assert all(b"hunter22" not in data for data in stored)


async def test_a_text_sealed_elsewhere_is_taken_for_the_next_version_only(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    first = {"sealed": seal(PUBLIC, for_secret("TOKEN", 1), VALUE), "version": 1}
    assert (await api.put("/api/secrets/TOKEN", json=first)).status_code == 200
    again = await api.put("/api/secrets/TOKEN", json=first)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    other = await api.put("/api/secrets/TOKEN", json={**first, "sealed": seal(PUBLIC, for_secret("TOKEN", 1), "x")})
    assert (other.status_code, other.json()["type"]) == (409, "urn:fastflow:secret-version-taken")
    assert other.json()["context"]["next"] == 2
    assert await opened(jetstream_log, "TOKEN", 1) == VALUE


async def test_removed_secrets_are_gone_and_their_versions_are_not_given_again(api: httpx.AsyncClient) -> None:
    await api.put("/api/secrets/TOKEN", json={"value": VALUE})
    await eventually(lambda: listed(api))
    assert [(await api.delete("/api/secrets/TOKEN")).status_code for _ in range(2)] == [200, 200]

    async def nobody() -> bool:
        return await listed(api) == {}

    await eventually(nobody)
    assert (await api.get("/api/secrets/TOKEN")).json()["removed"] is True
    assert (await api.put("/api/secrets/TOKEN", json={"value": VALUE})).json()["version"] == 2
    assert (await api.delete("/api/secrets/NEVER")).status_code == 404
    assert (await api.get("/api/secrets/NEVER")).status_code == 404


async def test_ten_who_set_it_at_once_make_ten_versions_that_can_be_opened(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    answers = await asyncio.gather(*(api.put("/api/secrets/A", json={"value": f"value {n}"}) for n in range(10)))
    taken = sorted(answer.json()["version"] for answer in answers if answer.status_code == 200)
    assert len(taken) >= 5
    assert taken == list(range(1, len(taken) + 1))
    assert (await opened(jetstream_log, "A", taken[-1])).startswith("value ")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("TOKEN", {"value": "hunter22\0"}, "/value"),
        ("TOKEN", {"value": ""}, "/value"),
        ("TOKEN", {"value": "hunter22" * 3000}, "/value"),
        ("TOKEN", {"value": 4711471147}, "/value"),
        ("TOKEN", {"value": "hunter22", "version": 1}, "/value"),
        ("TOKEN", {"valeu": "hunter22"}, "/valeu"),
        ("TOKEN", {"sealed": "hunter22", "version": 1}, "/sealed"),
        ("TOKEN", {"sealed": seal(public_key_of(bytes(32)), for_secret("TOKEN", 1), "x"), "version": 1}, "/sealed"),
        ("TOKEN", {}, ""),
        ("not%20a%20name", {"value": "hunter22"}, ""),
        ("FASTFLOW_RUN_ID", {"value": "hunter22"}, ""),
    ],
)
async def test_what_cannot_be_a_secret_is_refused_without_repeating_it(
    api: httpx.AsyncClient, path: str, body: dict[str, object], pointer: str
) -> None:
    answer = await api.put(f"/api/secrets/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert "hunter22" not in answer.text
    assert "4711471147" not in answer.text


async def test_values_for_a_pipeline_are_sealed_on_request(api: httpx.AsyncClient) -> None:
    body = {"pipeline": "daily report", "name": "TOKEN", "value": VALUE}
    answer = await api.post("/api/secrets/encrypt-for-pipeline", json=body)
    assert answer.status_code == 200
    text = answer.json()["encrypted"]
    assert unseal(PRIVATE, for_variable("daily report", "TOKEN"), parse(text).box) == VALUE


async def test_the_newest_key_is_the_one_to_seal_for(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    newer = public_key_of(new_private_key())
    await publish(jetstream_log, newer)
    answer = (await api.get("/api/secrets/public-key")).json()
    assert answer == {"key_id": key_id(newer), "public_key": base64.b64encode(newer).decode()}
    older = {"sealed": seal(PUBLIC, for_secret("TOKEN", 1), VALUE), "version": 1}
    assert (await api.put("/api/secrets/TOKEN", json=older)).status_code == 200


async def test_without_a_runner_there_is_no_key_and_it_says_so(empty: httpx.AsyncClient) -> None:
    for answer in (
        await empty.get("/api/secrets/public-key"),
        await empty.put("/api/secrets/TOKEN", json={"value": VALUE}),
    ):
        assert answer.status_code == 404
        assert "a runner publishes one when it starts for the first time" in answer.json()["detail"]
    assert (await empty.get("/api/secrets")).json() == {"items": [], "next": None}
