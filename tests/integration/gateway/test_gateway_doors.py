"""Every parameter of every address that is read, with what lies at the ends of what can be said: never our fault."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import msgspec
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.nats.client import Connection
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import (
    CAUSE,
    pipeline_discovered,
)
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.stored_runs import store_run
from fastflow_gateway.openapi import document
from fastflow_gateway.testing import running_gateway
from fastflow_rules.branch_diff.branch import BranchRefused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.aio.msg import Msg

pytestmark = pytest.mark.nats

AT_ONCE = 8
KNOWN = {
    "name": "hello",
    "schedule": "nightly",
    "run_id": "r1",
    "file": "main.py",
    "ref": "main",
    "backfill_id": "b1",
    "status": "queued",
    "aggregate": "run",
    "id": "r1",
    "type": "run.requested",
    "pipeline": "hello",
    "repository": "main",
}
"""What each parameter is called with while another one is tried."""
NUMBERS = [
    "0",
    "-1",
    "1",
    "1.5",
    "1e400",
    "nan",
    "inf",
    *(str(2**n + d) for n in (31, 32, 53, 63, 64) for d in (-1, 0, 1)),
]
INSTANTS = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+05:00",
    "0001-01-01",
    "0000-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "2026-01-31T08:00:00",
    "2026-01-31T08:00:00 02:00",
    "2026-02-30T00:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T08:00:60Z",
    "9000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-05:00",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31",
    "10000-01-01T00:00:00Z",
    "+010000-01-01T00:00:00Z",
    "0.5",
    "253402300800",
    "-62135596801",
]
NAMES = [
    "",
    " ",
    "\0",
    "\n",
    "x\n",
    "..",
    ".",
    "*",
    ">",
    "a.b",
    "a/b",
    "ü" * 70,
    "\u202e",
    "\ud800",
    "x" * 300,
    "x" * 5000,
]
PLACES = ["0.0", "1.0", "1.1.1", f"{2**63}.1", f"1.{2**63}", "9" * 30 + ".1", "1.2.3.4", "9" * 30]
EXTREMES = [*NUMBERS, *INSTANTS, *NAMES, *PLACES]


class Door(NamedTuple):
    """One parameter of one address."""

    path: str
    parameter: dict[str, Any]
    others: list[dict[str, Any]]


def doors() -> Iterator[Door]:
    for path, verbs in document()["paths"].items():
        found = verbs.get("get", {}).get("parameters", [])
        for parameter in found:
            yield Door(path, parameter, [other for other in found if other is not parameter and other.get("required")])


DOORS = list(doors())


def asked(door: Door, value: str) -> tuple[str, dict[str, str]]:
    """The address, and the headers, that say this value; what it is made of reaches the gateway byte by byte."""
    path, query, headers = door.path, [], {}
    for parameter, found in [
        (door.parameter, value),
        *((other, KNOWN.get(other["name"], "1")) for other in door.others),
    ]:
        exact = quote(found.encode("utf-8", "surrogatepass"), safe="")
        match parameter["in"]:
            case "path":
                path = path.replace("{" + parameter["name"] + "}", exact)
            case "header":
                headers[parameter["name"]] = "".join(letter for letter in found if " " <= letter <= "~").strip()
            case _:
                query.append(f"{parameter['name']}={exact}")
    return f"{path}?{'&'.join(query)}", headers


@pytest_asyncio.fixture
async def api(nc: Connection, nats_url: str, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows a pipeline, a run with output, and a git_sync that knows no branch."""
    log = JetStreamLog(nc, source="/fastflow/test/1")
    found = pipeline_discovered(definition={"schedules": [{"id": "nightly", "cron": "0 3 * * *"}]})
    await log.append(Position(aggregate="pipeline", id="hello"), [found], cause=CAUSE)
    await store_run(log, nc, "r1", output=b"a\n")

    async def answer(msg: Msg) -> None:
        await msg.respond(msgspec.json.encode(BranchRefused(refused="there is no such branch", missing=True)))

    await nc.subscribe(subjects.GIT_QUESTIONS, cb=answer)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=60) as client:

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await eventually(ready)
        yield client


async def status_of(client: httpx.AsyncClient, address: str, headers: dict[str, str]) -> int:
    """How it is answered; a stream is left as soon as that is known."""
    async with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", address
        return answer.status_code


async def test_no_extreme_of_any_parameter_is_our_fault(api: httpx.AsyncClient) -> None:
    assert len(DOORS) > 45
    todo = [asked(door, value) for door in DOORS for value in EXTREMES]
    assert len(todo) > 2500
    faults: list[tuple[int, str, dict[str, str]]] = []

    async def worker(mine: list[tuple[str, dict[str, str]]]) -> None:
        for address, headers in mine:
            status = await status_of(api, address, headers)
            if status >= 500:
                faults.append((status, address, headers))

    async with asyncio.TaskGroup() as workers:
        for n in range(AT_ONCE):
            workers.create_task(worker(todo[n::AT_ONCE]))
    assert faults == []


async def test_the_ends_of_the_calendar_are_instants_like_others(api: httpx.AsyncClient) -> None:
    async def facts(**params: str) -> tuple[int, int]:
        answer = await api.get("/api/events", params=params)
        return answer.status_code, len(answer.json().get("items", []))

    whole = await facts()
    assert whole[1] == 7
    for since in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "1969-12-31"):
        assert await facts(since=since) == whole
        assert await facts(until=since) == (200, 0)
    for until in ("9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59.999999999Z"):
        assert await facts(until=until) == whole
        assert await facts(since=until) == (200, 0)
    for wrong in ("0.5", "253402300800", "yesterday", "2026-02-30", "", "2026-01-31T08:00:00Z\n"):
        assert (await facts(since=wrong))[0] == (await facts(until=wrong))[0] == 400


async def test_a_position_that_no_stream_has_is_refused(api: httpx.AsyncClient) -> None:
    for path in (
        "/api/events",
        "/api/runs",
        "/api/runs/r1/metrics",
        "/api/events/stream",
        "/api/runs/r1/metrics/stream",
    ):
        for position in (2**63, 2**64, 10**30, -1):
            assert await status_of(api, f"{path}?cursor={position}", {}) == 400
        if path != "/api/runs":  # its cursors are of one question
            assert await status_of(api, f"{path}?cursor={2**63 - 1}", {}) == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(st.sampled_from(DOORS), st.text(max_size=40) | st.sampled_from(EXTREMES)), max_size=30))
async def test_neither_is_anything_else_that_can_be_said(api: httpx.AsyncClient, lines: list[tuple[Door, str]]) -> None:
    for door, value in lines:
        address, headers = asked(door, value)
        assert await status_of(api, address, headers) < 500, address


async def test_numbers_in_addresses_of_what_is_changed_are_judged_too(api: httpx.AsyncClient) -> None:
    for number in NUMBERS:
        exact = quote(number, safe="")
        for method, address in (
            ("DELETE", f"/api/dead-letters/{exact}"),
            ("POST", f"/api/dead-letters/{exact}/retry"),
            ("POST", f"/api/runs/r1/prioritise?priority={exact}"),
            ("POST", f"/api/environments/gc?dry_run=true&keep_days={exact}"),
        ):
            answer = await api.request(method, address)
            assert answer.status_code < 500, (method, address)
