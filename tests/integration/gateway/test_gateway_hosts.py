"""A gateway that listens on every address, as in compose, and pages of other sites whose names resolve to it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.nats.client import Connection
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_gateway.openapi import document
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats

EVERYWHERE = "0.0.0.0"
EVIL = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000", "Sec-Fetch-Site": "same-origin"}
PLACES = sorted(
    (method.upper(), path) for path, verbs in document()["paths"].items() for method in verbs if method != "parameters"
)


@pytest_asyncio.fixture
async def api(nc: Connection, nats_url: str, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """It knows pipeline `hello`, and is called `flow.example.org` by people."""
    log = JetStreamLog(nc, source="/fastflow/test/1")
    await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    more = {"host": EVERYWHERE, "insecure": True, "allowed_hosts": "flow.example.org"}
    async with running_gateway(nats_url, tmp_path, **more) as base, httpx.AsyncClient(base_url=base) as client:
        await caught_up(client.get, log)
        yield client


async def test_a_page_with_a_name_of_its_own_gets_no_further_by_any_way_in(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    before = await jetstream_log.last_seq()
    places = [*PLACES, ("OPTIONS", "/api/runs"), ("HEAD", "/api/runs"), ("GET", "/nowhere"), ("GET", "/schema")]
    assert len(places) > 60
    for method, path in places:
        filled = path.replace("{name}", "hello").replace("{", "").replace("}", "")
        answer = await api.request(method, filled, headers=EVIL, content=b"{}" if method in ("POST", "PUT") else None)
        assert (method, path, answer.status_code) == (method, path, 403)
        assert answer.headers["content-type"] == "application/problem+json"
        assert method == "HEAD" or answer.json()["type"] == "urn:fastflow:foreign-host"
    assert await jetstream_log.last_seq() == before


async def test_what_a_proxy_says_does_not_count(api: httpx.AsyncClient) -> None:
    for header in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"):
        fields = {header: "host=localhost" if header == "Forwarded" else "localhost"}
        assert (await api.get("/api/runs", headers={"Host": "evil.example", **fields})).status_code == 403
        assert (await api.get("/api/runs", headers={header: "evil.example"})).status_code == 200


async def test_by_its_own_names_everything_is_there(api: httpx.AsyncClient) -> None:
    for host in ("localhost:8000", "[::1]:8000", "FLOW.example.org.", "flow.example.org:443"):
        answer = await api.post(
            "/api/pipelines/hello/run",
            headers={"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status_code == 202
    cross = {"Host": "flow.example.org", "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await api.post("/api/pipelines/hello/run", headers=cross)).json()["type"] == "urn:fastflow:foreign-origin"


async def test_probes_ask_for_health_by_an_address_and_for_nothing_else(api: httpx.AsyncClient) -> None:
    probe = {"Host": "10.244.1.9:8000"}
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert (await api.get(path, headers=probe)).status_code == 200
        assert (await api.get(path, headers={"Host": "evil.example"})).status_code == 403
    assert (await api.get("/api/runs", headers=probe)).status_code == 403


async def test_the_address_it_tells_is_one_that_can_be_asked(api: httpx.AsyncClient) -> None:
    assert api.base_url.host == "127.0.0.1"
