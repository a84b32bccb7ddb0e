"""Whoever has stolen a key may publish what its service may publish. Junk in it stops nothing but what it is about."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
from fastflow_cli.doctor.checks import services
from fastflow_cli.home import Home
from fastflow_cli.local.state import write_state
from fastflow_cli.testing.product import Product
from fastflow_events.nats.accounts import DEFAULT_RUNNER, Account, accounts
from fastflow_events.nats.connection import connect
from fastflow_events.nats.keys import seed_path
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.e2e, pytest.mark.timeout(400)]

SAMPLES = Path(__file__).parents[2] / "proto" / "samples"
DEEP = b'{"a":' * 975 + b"1" + b"}" * 975
BODIES = (b"", b"junk", b"\xff\x00\xff", b"[]", b"{}", DEEP, b"[" * 60_000, b'{"attempt":' + b"9" * 400 + b"}")
HEADERS: tuple[dict[str, str], ...] = ({}, {"Status": "204"}, {"Nats-Sequence": "x"}, {"ce-type": "run.requested.v1"})


def subjects_of(account: Account, run_id: str) -> list[str]:
    """What the account may send facts, output, beats and requests to, with names in the places of the wildcards."""
    found = []
    for subject in account.publishes:
        kind = subject.split(".")[2] if subject.startswith("fastflow.evt.") else ""
        ids = {"run": [run_id, "stranger"], "pipeline": ["steady", "stranger"], "repository": ["stranger"]}
        for id in ids.get(kind, ["main", "stranger"]):
            tokens = subject.split(".")
            if kind:
                tokens[3] = id if tokens[3] == "*" else tokens[3]
                tokens[4] = "invented" if tokens[4] == "*" else tokens[4]
            own = {"dispatched": "default"}.get(tokens[4] if kind else "", DEFAULT_RUNNER)
            if subject.startswith("$KV.fastflow-leases"):
                own = "queue"
            found.append(".".join(own if token == "*" else token for token in tokens))
    return sorted(set(found))


def with_an_odd_time() -> list[tuple[str, dict[str, str], bytes]]:
    """Facts as they should be, but for their instants."""
    found = []
    for file in sorted(SAMPLES.glob("*.json")):
        sample = json.loads(file.read_text())
        headers = sample["headers"] | {"ce-time": "2026-03-01T12:00:00"}
        found.append((sample["subject"], headers, json.dumps(sample["body"]).encode()))
    return found


@pytest.mark.parametrize("account", accounts(), ids=lambda account: account.user)
async def test_junk_under_a_stolen_key_stops_nothing(
    open_product: Callable[[str], AbstractAsyncContextManager[Product]], account: Account, tmp_path: Path
) -> None:
    async with open_product("process") as product:
        run_id = await product.trigger("steady")
        installation = product.installation
        user = DEFAULT_RUNNER if account.user == "runner" else account.user
        stolen = Settings(nats_url=installation.nats_url, nats_seed_file=seed_path(installation.plan.home.keys, user))
        async with connect(stolen, "thief") as nc:
            for subject in subjects_of(account, run_id):
                for body in BODIES:
                    for headers in HEADERS:
                        await nc.publish(subject, body, headers=headers or None)
            for subject, headers, body in with_an_odd_time():
                await nc.publish(subject, body, headers=headers)  # those that it may; the server drops the others
            await nc.flush()
        good = await product.trigger("hello")
        run = await product.ended(good, within_s=90)
        assert run["outcome"] == "succeeded", run
        assert await product.lines(good) == [("stdout", "Hello, world!")]
        assert (await product.get("/api/queue")) is not None
        page = await product.get("/api/events", limit=1000)
        assert page["items"]

        async def degraded() -> bool:
            async with httpx.AsyncClient() as http:
                result = [(await http.get(f"{url}/health/ready")) for url in installation.state().health.values()]
            assert [answer.status_code for answer in result] == [200] * 4, [answer.text for answer in result]
            return any(answer.json()["status"] == "degraded" for answer in result)

        await eventually(degraded, within_s=60)
        for service in installation.state().health:
            assert installation.supervisor.child(service).failures == 0, service
        write_state(Home(tmp_path / "home"), installation.state())
        found = services(Home(tmp_path / "home"))
        assert any("set aside" in finding.detail for finding in found)
