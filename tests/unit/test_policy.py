import re
from pathlib import Path

import pytest
from fastflow_events.run.specification import Limits
from fastflow_runner.container_spec import VERSIONS, Deployment, run_body, tool_body
from fastflow_runner.policy import create_pattern, render, shipped, speaks
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[2] / "deploy/socket-proxy"
RUN = "fastflow-0192f0c1-7b1e-7c3a-9d2e-0123456789ab-1"
DEPLOYMENT = Deployment()
BODY = run_body(DEPLOYMENT, Limits(memory_bytes=1 << 28, cpus=1.0), owner="r-1", nonce="abc", host_cpus=2).decode()
EXPRESSIONS = [re.compile(expression) for _, expression in create_pattern("1.41", DEPLOYMENT)]


def accepted(request: str) -> bool:
    return any(expression.fullmatch(request) for expression in EXPRESSIONS)


def request(name: str, body: str) -> str:
    return f"/v1.41/containers/create?name={name}|{body}"


def test_the_shipped_files_are_fresh() -> None:
    found = {path.name: path.read_text() for path in FOLDER.glob("*.cfg")}
    assert found == shipped(), "type: python -m fastflow_runner.policy --shipped deploy/socket-proxy"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_policy_knows_one_version_only(version: str) -> None:
    text = render(version)
    assert set(re.findall(r"/v1\\.[0-9]+", text)) == {f"/v{version}".replace(".", r"\.")}


@pytest.mark.parametrize(("engine", "spoken"), [("1.41", "1.41"), ("1.43", "1.41"), ("1.44", "1.44"), ("1.52", "1.44")])
def test_the_newest_version_that_the_engine_speaks_is_taken(engine: str, spoken: str) -> None:
    assert speaks(engine) == spoken


def test_what_the_runner_writes_is_accepted() -> None:
    assert accepted(request(RUN, BODY))
    for mode in ("prepare", "stage"):
        assert accepted(request(f"fastflow-{mode}-{'0' * 32}", tool_body(DEPLOYMENT, mode, owner="r-1").decode()))


def test_a_form_is_accepted_under_its_own_names_only() -> None:
    assert not accepted(request(f"fastflow-prepare-{'0' * 32}", BODY))
    assert not accepted(request(RUN, tool_body(DEPLOYMENT, "prepare", owner="r-1").decode()))
    assert not accepted(request("postgres", BODY))


@given(st.integers(0, len(BODY) - 1), st.characters(codec="utf-8"))
def test_a_body_with_one_other_character_differs_in_a_slot_or_is_refused(at: int, character: str) -> None:
    changed = BODY[:at] + character + BODY[at + 1 :]
    if changed == BODY or not accepted(request(RUN, changed)):
        return
    slots = (r'"fastflow.nonce":"([^"]*)"', r'"fastflow.runner":"([^"]*)"', r'"NanoCpus":(\d+)', r'"PidsLimit":(\d+)')
    assert any((found := re.search(slot, BODY)) and found.start(1) <= at < found.end(1) for slot in slots)
    assert character.isascii()


@given(
    st.integers(0, len(BODY)), st.sampled_from(['"Privileged":true,', " ", "\n", "\0", "{", '"', "\\u0061", "\ufeff"])
)
def test_nothing_can_be_put_in(at: int, extra: str) -> None:
    assert not accepted(request(RUN, BODY[:at] + extra + BODY[at:]))
