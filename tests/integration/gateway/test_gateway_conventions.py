"""What holds for every route alike, asked of a real gateway."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.openapi import document
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows pipeline `hello`."""
    position = (await jetstream_log.load("pipeline", "hello")).position
    await jetstream_log.append(position, [pipeline_discovered()], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await eventually(lambda: is_ready(client))
        yield client


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def test_the_contract_is_served_as_it_is_written_down(api: httpx.AsyncClient) -> None:
    assert (await api.get("/schema/openapi.json")).json() == document()


@pytest.mark.parametrize(
    ("address", "like"),
    [
        ("/api/runs?statuz=failed", "did you mean status?"),
        ("/api/runs?pipelines=hello", "did you mean pipeline?"),
        ("/api/queue?zzz=1", "there is no query parameter zzz here"),
        ("/health/live?x", "there is no query parameter x here"),
    ],
)
async def test_a_parameter_that_a_route_does_not_have_is_refused(
    api: httpx.AsyncClient, address: str, like: str
) -> None:
    answer = await api.get(address)
    assert answer.status_code == 400
    assert like in answer.json()["detail"]
    assert answer.json()["errors"][0]["parameter"] == address.partition("?")[2].partition("=")[0]


@pytest.mark.parametrize(
    ("type_", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("application/vnd.flow+json", 202),
    ],
)
async def test_a_body_says_that_it_is_json(api: httpx.AsyncClient, type_: str, status: int) -> None:
    headers = {"Content-Type": type_} if type_ else {}
    answer = await api.post("/api/pipelines/hello/run", content=b"{}", headers=headers)
    assert answer.status_code == status


async def test_nothing_needs_no_type(api: httpx.AsyncClient) -> None:
    assert (await api.post("/api/pipelines/hello/run")).status_code == 202


async def test_a_page_says_where_the_next_one_is(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    for _ in range(3):
        await api.post("/api/pipelines/hello/run")
    await caught_up(api.get, jetstream_log)
    seen, address = [], "/api/runs?pipeline=hello&status=queued&limit=1"
    while address:
        answer = await api.get(address)
        seen += [run["id"] for run in answer.json()["items"]]
        address = answer.links.get("next", {}).get("url", "")
        assert "x-next-cursor" not in answer.headers
    assert len(set(seen)) == len(seen) == 3


async def test_head_answers_as_get_does_without_a_body(api: httpx.AsyncClient) -> None:
    for address in ("/api/runs", "/api/pipelines/hello", "/health/live", "/api/events/stream", "/api/runs/none"):
        async with api.stream("GET", address) as there:
            head = await api.head(address)
            assert head.status_code == there.status_code
            assert head.headers["content-type"] == there.headers["content-type"]
            assert head.content == b""


async def test_every_path_tells_its_methods(api: httpx.AsyncClient) -> None:
    for path, methods in document()["paths"].items():
        address = path.replace("{seq}", "1").replace("{", "").replace("}", "")
        answer = await api.options(address)
        assert answer.status_code == 204
        wanted = {method.upper() for method in methods}
        allowed = set(answer.headers["allow"].split(", "))
        assert wanted <= allowed
        assert ("HEAD" in allowed) == ("GET" in allowed)
        refused = await api.request("BREW", address)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == allowed
        assert refused.headers["content-type"] == "application/problem+json"


async def test_who_has_an_answer_is_not_sent_it_again(api: httpx.AsyncClient) -> None:
    first = await api.get("/api/pipelines")
    assert first.headers["cache-control"] == "private, no-cache"
    again = await api.get("/api/pipelines", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await api.get("/api/pipelines", headers={"If-None-Match": '"else"'})
    assert (other.status_code, other.headers["etag"]) == (200, first.headers["etag"])


@pytest.mark.parametrize("address", ["/api/runs", "/health/live", "/nothing", "/metrics", "/api/runs?x=1"])
async def test_every_answer_has_the_headers_that_browsers_heed(api: httpx.AsyncClient, address: str) -> None:
    headers = (await api.get(address, headers={"X-Request-ID": "mine"})).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-request-id"] == "mine"
    assert "cache-control" in headers
    assert "permissions-policy" in headers
    assert "server" not in headers


async def test_an_unreadable_request_id_is_replaced(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/pipelines/hello/run", headers={"X-Request-ID": "a b"})
    id = answer.headers["x-request-id"]
    assert len(id) == 32
    facts = (await api.get(f"/api/runs/{answer.json()['id']}/facts")).json()["items"]
    assert facts[0]["correlation_id"] == id


@pytest.mark.parametrize("name", ["a%00b", "a%0Ab", "%E2%80%AEgnp", "%20", "a%20b", "x" * 101, "a%2Fb"])
async def test_people_give_names_that_people_can_read(api: httpx.AsyncClient, name: str) -> None:
    for path, body in (
        (f"/api/pipelines/hello/schedules/{name}", {"cron": "0 6 * * *"}),
        (f"/api/repositories/{name}", {"url": "https://git.example.org/x.git"}),
        (f"/api/secrets/{name}", {"value": "x"}),
    ):
        answer = await api.put(path, json=body)
        assert answer.status_code in (400, 404, 422), path
