"""Who comes in, over real HTTP: tokens of every kind at every route."""

import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.access.commands import CreateToken
from fastflow_events.aggregates.access.decider import token_decider
from fastflow_events.aggregates.access.events import AccessTokenCreated
from fastflow_events.aggregates.access.grants import Grant
from fastflow_events.execute import execute
from fastflow_events.nats.direct_get import get_all
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.topology import EVENTS
from fastflow_events.service.clock import utc_now
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.core.access.needs import NEEDS
from fastflow_gateway.core.access.permissions import Need, allowed
from fastflow_gateway.core.access.principal import Principal
from fastflow_gateway.core.access.token_text import hash_of, mint
from fastflow_gateway.testing import caught_up, running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats

ADMIN = Principal(who="", grants=(Grant("admin"),))
PRINCIPALS: dict[str, Principal | None] = {
    "nobody": None,
    "viewer": Principal(who="", grants=(Grant("viewer"),)),
    "operator": Principal(who="", grants=(Grant("operator"),)),
    "admin": ADMIN,
    "operator for triggers only": Principal(who="", grants=(Grant("operator"),), scopes=("trigger",)),
    "admin for reading only": Principal(who="", grants=(Grant("admin"),), scopes=("read",)),
}
REFUSED = (401, 403)
REFUSALS = {"urn:fastflow:sign-in-needed": 401, "urn:fastflow:not-allowed": 403}
"""Of the guard; hooks refuse by themselves who does not prove that he may send them."""


class Door:
    """A gateway with login, and somebody who has the machine it runs on."""

    def __init__(self, http: httpx.AsyncClient, home: Path, log: JetStreamLog) -> None:
        self.http, self.home, self.log = http, home, log

    @property
    def first_token(self) -> Path:
        return self.home / "gateway" / "first-admin.token"

    def hash(self, text: str) -> str:
        return hash_of(bytes.fromhex((self.home / "gateway" / "access.key").read_text()), text)

    async def ask(self, method: str, path: str, token: str = "", **more: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http.request(method, path, headers=headers, **more)  # type: ignore[arg-type]

    async def first(self) -> str:
        """The token in the file, from the moment on at which the gateway knows it."""

        async def known() -> str:
            text = self.first_token.read_text().strip() if self.first_token.exists() else ""
            return text if text and not await refused(self, text) else ""

        return await eventually(known, within_s=30)

    async def made(self, admin: str, **body: object) -> tuple[str, str]:
        """Id and text of a token, from the moment on at which the gateway knows it."""
        answer = await self.ask("POST", "/api/tokens", admin, json=body)
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == f"/api/tokens/{answer.json()['id']}"
        await caught_up(self.http.get, self.log)
        return answer.json()["id"], answer.json()["token"]


@asynccontextmanager
async def door(nats_url: str, log: JetStreamLog, home: Path) -> AsyncIterator[Door]:
    async with (
        running_gateway(nats_url, home, login="on") as base,
        httpx.AsyncClient(base_url=base, timeout=30) as http,
    ):
        await caught_up(http.get, log)
        yield Door(http, home, log)


@pytest_asyncio.fixture
async def gate(nats_url: str, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[Door]:
    async with door(nats_url, jetstream_log, tmp_path) as gate:
        yield gate


def expected(who: Principal | None, need: Need) -> int | None:
    """The refusal that the table says; None where it lets him in."""
    if allowed(who, need):
        return None
    return 401 if who is None else 403


async def test_every_route_lets_in_whom_the_table_says_and_nobody_else(gate: Door) -> None:
    admin = await gate.first()
    tokens = {"nobody": ""}
    for name, who in PRINCIPALS.items():
        if who is not None:
            _, tokens[name] = await gate.made(
                admin, name=name.replace(" ", "-"), role=who.grants[0].role, scopes=list(who.scopes)
            )
            admin = tokens.get("admin", admin)  # the first admin's own token ends with the first other one
    for route, need in NEEDS.items():
        method, template = route.split(" ")
        path = re.sub(r"\{\w+\}", "1", template)
        if path.endswith("/stream") and method == "GET":
            path += "?cursor=x"  # refused once inside, or it would never end
        elif path == "/api/live":
            path += "?after=x"
        for name, who in PRINCIPALS.items():
            answer = await gate.ask(method, path, tokens[name])
            said = answer.json()["type"] if answer.status_code in REFUSED else ""
            assert REFUSALS.get(said) == expected(who, need), (route, name, answer.text)


async def test_the_first_admin_s_token_waits_for_whoever_has_the_machine_and_ends_with_the_next(gate: Door) -> None:
    first = await gate.first()
    assert gate.first_token.stat().st_mode & 0o777 == 0o600
    me = (await gate.ask("GET", "/api/me", first)).json()
    assert (me["who"], me["role"], me["scopes"]) == ("token:first", "admin", [])
    assert me["can"] == ["look", "inspect", "start", "operate", "administer", "measure"]
    _, admin = await gate.made(first, name="ops", role="admin")
    await eventually(lambda: refused(gate, first), within_s=30)
    assert (await gate.ask("GET", "/api/me", admin)).json()["role"] == "admin"
    listed = {token["name"]: token for token in (await gate.ask("GET", "/api/tokens", admin)).json()["items"]}
    assert listed["first-admin"]["status"] == "revoked"
    assert listed["ops"] | {"id": "", "seq": 0, "created_at": "", "expires_at": ""} == {
        "id": "",
        "kind": "service",
        "name": "ops",
        "status": "valid",
        "grants": [{"role": "admin", "on": "*"}],
        "scopes": [],
        "created_at": "",
        "created_by": "token:first",
        "expires_at": "",
        "revoked_by": "",
        "seq": 0,
    }


async def refused(gate: Door, token: str) -> bool:
    return (await gate.ask("GET", "/api/me", token)).status_code == 401


async def test_a_revoked_token_is_refused_by_every_gateway_at_once(
    gate: Door, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    first = await gate.first()
    other = tmp_path / "other"
    (other / "gateway").mkdir(parents=True, mode=0o700)
    (other / "gateway" / "access.key").write_text((gate.home / "gateway" / "access.key").read_text())
    (other / "gateway" / "access.key").chmod(0o600)
    async with door(nats_url, jetstream_log, other) as second:
        assert not second.first_token.exists()  # the other gateway has left one already
        id, token = await gate.made(first, name="erp")
        await caught_up(second.http.get, jetstream_log)
        assert (await second.ask("GET", "/api/runs", token)).status_code == 200
        assert (await gate.ask("DELETE", f"/api/tokens/{id}", first)).status_code == 200
        await eventually(lambda: refused(second, token), within_s=30)
        await eventually(lambda: refused(gate, token), within_s=30)
        again = await gate.ask("DELETE", f"/api/tokens/{id}", first)
        assert again.status_code == 200
        assert (await gate.ask("DELETE", "/api/tokens/tok_none", first)).status_code == 404


async def test_a_token_that_has_run_out_is_refused_in_the_words_of_one_that_never_was(gate: Door) -> None:
    text = mint("service", os.urandom)
    created = AccessTokenCreated(
        kind="service",
        name="old",
        hash=gate.hash(text),
        grants=(Grant("admin"),),
        expires_at=utc_now() - timedelta(seconds=1),
        by="local",
    )
    await execute(gate.log, token_decider, "tok_old", CreateToken(token=created, at=utc_now()), cause=CAUSE)
    await caught_up(gate.http.get, gate.log)
    answers = [await gate.ask("GET", "/api/runs", token) for token in (text, mint("service", os.urandom))]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["detail"] == "this token is not known here, has run out, or was revoked"


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic YTpi", "ffs_", "Bearer ffs_" + 37 * "0"])
async def test_what_is_no_token_is_refused_before_it_is_looked_for(gate: Door, header: str) -> None:
    answer = await gate.http.get("/api/runs", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["detail_message"]["code"]) == (401, "access.token_mistyped")
    assert "www-authenticate" not in answer.headers


async def test_a_token_in_an_address_is_refused_and_revoked(gate: Door) -> None:
    first = await gate.first()
    _, token = await gate.made(first, name="erp")
    answer = await gate.http.get(f"/api/runs?token={token}")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:fastflow:token-in-address")
    assert token not in answer.text
    await eventually(lambda: refused(gate, token), within_s=30)


async def test_neither_a_token_nor_an_address_is_in_the_log(gate: Door, nc: Client) -> None:
    first = await gate.first()
    _, token = await gate.made(first, name="erp")
    await gate.ask("POST", "/api/pause", first)
    bodies = b"".join([message.data async for message in get_all(nc, EVENTS, subject=subjects.EVENTS)])
    assert b'"by":"token:first"' in bodies
    assert b'"who":"token:first"' in bodies
    for text in (first, token):
        assert text.encode() not in bodies
    assert b"127.0.0.1" not in bodies


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"name": "Ann Smith"}, "/name"),
        ({"name": "-"}, "/name"),
        ({"name": "x" * 41}, "/name"),
        ({"name": "erp", "role": "owner"}, "/role"),
        ({"name": "erp", "scopes": ["write"]}, "/scopes/0"),
        ({"name": "erp", "days": 0}, "/days"),
        ({"name": "erp", "days": 366}, "/days"),
        ({"name": "erp", "token": "mine"}, "/token"),
    ],
)
async def test_a_wrong_body_is_refused_with_its_place(gate: Door, body: dict[str, object], pointer: str) -> None:
    answer = await gate.ask("POST", "/api/tokens", await gate.first(), json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_without_a_login_there_are_no_tokens_and_everybody_is_local(
    nats_url: str, nc: Client, tmp_path: Path
) -> None:
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as http:
        me = (await http.get("/api/me")).json()
        assert (me["who"], me["role"]) == ("local", "admin")
        answer = await http.post("/api/tokens", json={"name": "erp"})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:fastflow:login-off")
        assert not (tmp_path / "gateway" / "access.key").exists()
