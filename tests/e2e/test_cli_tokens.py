"""A gateway that wants to know who asks, as somebody meets it on the command line."""

import json
import re
from pathlib import Path

import pytest
from fastflow_cli.testing.product import repository
from fastflow_cli.testing.terminal import Terminal
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.e2e]
TOKEN = re.compile(r"ff[as]_[0-9A-Za-z]{38}")
REFUSED = 4


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    source = tmp_path / "pipelines"
    source.mkdir()
    return Terminal(tmp_path / "home", repository(source), FASTFLOW_LOGIN="on")


def shows(terminal: Terminal, token: str) -> None:
    terminal.env["FASTFLOW_TOKEN"] = token


async def test_from_the_first_admin_to_a_program_that_may_start_runs_and_nothing_else(terminal: Terminal) -> None:
    with terminal.up():
        await terminal.ready()
        refused = terminal.type("runs", code=REFUSED)
        assert "who asks? Send a token: Authorization: Bearer ffs_…" in refused
        assert "export FASTFLOW_TOKEN=ffs_…" in refused

        first = terminal.home / "gateway" / "first-admin.token"
        await eventually(first.exists, within_s=60)
        shows(terminal, first.read_text().strip())
        assert terminal.type("me") == "token:first: admin; can look, inspect, start, operate, administer, measure\n"
        made = terminal.type("token", "make", "ops", "--role", "admin", "--days", "never")
        shows(terminal, found(made))
        assert "is called ops and valid for ever" in made
        program = found(terminal.type("token", "make", "erp", "--scope", "trigger"))

        await eventually(lambda: "hello" in terminal.type("pipelines"), within_s=60)
        admin = terminal.env["FASTFLOW_TOKEN"]
        shows(terminal, program)
        terminal.type("run", "hello")
        narrow = terminal.type("runs", code=REFUSED)
        assert "this token may only be used for: trigger" in narrow
        shows(terminal, admin)
        [run] = json.loads(terminal.type("runs", "--json"))["items"]
        tokens = {token["name"]: token for token in json.loads(terminal.type("token", "list", "--json"))["items"]}
        assert run["who"] == f"token:{tokens['erp']['id']}"
        assert tokens["first-admin"]["status"] == "revoked"

        terminal.type("token", "revoke", tokens["erp"]["id"])
        shows(terminal, program)
        await eventually(lambda: "not known here" in terminal.type("run", "hello", code=REFUSED), within_s=30)


async def test_whoever_has_the_machine_comes_in_again(terminal: Terminal) -> None:
    with terminal.up():
        await terminal.ready()
        recovered = found(terminal.type("token", "recover"))
        shows(terminal, recovered)
        await eventually(lambda: "admin" in terminal.type("me"), within_s=30)
        listed = terminal.type("token", "list")
        assert "recovery" in listed
        assert "host" in listed


async def test_what_is_no_token_is_said_before_anybody_is_asked(terminal: Terminal) -> None:
    shows(terminal, "hunter2")
    said = terminal.type("runs", "--url", "http://127.0.0.1:1", code=2)
    assert "FASTFLOW_TOKEN holds no token" in said
    assert "hunter2" not in said


def found(text: str) -> str:
    match = TOKEN.search(text)
    assert match is not None, text
    return match[0]
