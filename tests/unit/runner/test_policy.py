import re

import pytest
from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.closing import Closing
from fastflow_runner.core.container_spec import VERSIONS, Deployment, pause_body, run_body, tool_body, update_body
from fastflow_runner.core.names import CONNECTED
from fastflow_runner.core.policy import patterns, render, speaks
from hypothesis import given
from hypothesis import strategies as st

ID = "0a1b2c3d"
OURS = f"fastflow-{ID}-"
RUN = f"{OURS}0192f0c1-7b1e-7c3a-9d2e-0123456789ab-1"
DEPLOYMENT = Deployment(installation=ID)
BOUNDS = Bounds(memory_bytes=1 << 28, nano_cpus=10**9)
PLACE, SERIAL = "00112233", "4e5f6071"
BODY = run_body(DEPLOYMENT, BOUNDS, owner="r-1").decode()
JOINED = run_body(DEPLOYMENT, BOUNDS, owner="r-1", place=PLACE).decode()
EXPRESSIONS = [re.compile(expression) for _, expression in patterns("1.41", DEPLOYMENT)]
OF_R1 = [re.compile(expression) for _, expression in patterns("1.41", Deployment(installation=ID, owner="r-1"))]


def accepted(request: str, by: list[re.Pattern[str]] = EXPRESSIONS) -> bool:
    return any(expression.fullmatch(request) for expression in by)


def request(name: str, body: str) -> str:
    return f"/v1.41/containers/create?name={name}|{body}"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_policy_knows_one_version_only(version: str) -> None:
    text = render(version, deployment=DEPLOYMENT)
    assert set(re.findall(r"/v1\\.[0-9]+", text)) == {f"/v{version}".replace(".", r"\.")}


@pytest.mark.parametrize(("engine", "spoken"), [("1.41", "1.41"), ("1.43", "1.41"), ("1.44", "1.44"), ("1.52", "1.44")])
def test_the_newest_version_that_the_engine_speaks_is_taken(engine: str, spoken: str) -> None:
    assert speaks(engine) == spoken


def test_what_the_runner_writes_is_accepted() -> None:
    assert accepted(request(RUN, BODY))
    for mode in ("prepare", "python", "fetch", "build", "stage", "verify"):
        body = tool_body(DEPLOYMENT, mode, owner="r-1", place=PLACE).decode()
        assert accepted(request(f"{OURS}{mode}-{'0' * 32}", body))


def test_what_standby_workers_need_is_accepted() -> None:
    for by in (EXPRESSIONS, OF_R1):
        assert accepted(request(f"{OURS}net-r-1-{PLACE}", pause_body(DEPLOYMENT, Closing(), owner="r-1").decode()), by)
        assert accepted(request(f"{OURS}standby-r-1-{SERIAL}", JOINED), by)
        assert accepted(request(RUN, JOINED), by)
        assert accepted(f"/v1.41/containers/{RUN}/update|{update_body(BOUNDS).decode()}", by)


@pytest.mark.parametrize("owner", ["a", "a-1", "a-1-2", f"a-{PLACE}", "A_b.c-0"])
def test_a_standby_worker_joins_a_network_of_its_own_runner_only(owner: str) -> None:
    mine = run_body(DEPLOYMENT, BOUNDS, owner=owner, place=PLACE).decode()
    assert accepted(request(f"{OURS}standby-{owner}-{SERIAL}", mine))
    other = mine.replace(f"{OURS}net-{owner}-", f"{OURS}net-other-")
    assert not accepted(request(f"{OURS}standby-{owner}-{SERIAL}", other))
    assert not accepted(request(f"{OURS}standby-other-{SERIAL}", mine))
    assert not accepted(request(RUN, other))


@pytest.mark.parametrize("mode", sorted(CONNECTED))
def test_a_tool_joins_a_closed_network_of_its_own_runner_and_no_other(mode: str) -> None:
    body = tool_body(DEPLOYMENT, mode, owner="r-1", place=PLACE).decode()
    name, joined = f"{OURS}{mode}-{'0' * 32}", f'"NetworkMode":"container:{OURS}net-r-1-{PLACE}"'
    assert accepted(request(name, body), OF_R1)
    for network in (DEPLOYMENT.network, "host", "bridge", f"container:{OURS}net-r-2-{PLACE}", "container:postgres"):
        other = body.replace(joined, f'"NetworkMode":"{network}"')
        assert other != body
        assert not accepted(request(name, other))


def test_a_policy_for_one_runner_knows_no_other() -> None:
    other = run_body(DEPLOYMENT, BOUNDS, owner="r-2", place=PLACE).decode()
    assert accepted(request(f"{OURS}standby-r-2-{SERIAL}", other))
    assert not accepted(request(f"{OURS}standby-r-2-{SERIAL}", other), OF_R1)
    text = render("1.41", deployment=Deployment(installation=ID, owner="r-1"))
    assert f"{OURS}standby-(?P<owner>r-1)-" in text
    assert "A-Za-z0-9_." not in text


def test_a_form_is_accepted_under_its_own_names_only() -> None:
    assert not accepted(request(f"{OURS}prepare-{'0' * 32}", BODY))
    assert not accepted(request(RUN, tool_body(DEPLOYMENT, "prepare", owner="r-1").decode()))
    assert not accepted(request("postgres", BODY))


@given(st.integers(0, len(BODY) - 1), st.characters(codec="utf-8"))
def test_a_body_with_one_other_character_differs_in_a_slot_or_is_refused(at: int, character: str) -> None:
    changed = BODY[:at] + character + BODY[at + 1 :]
    if changed == BODY or not accepted(request(RUN, changed)):
        return
    slots = (r'"fastflow.runner":"([^"]*)"', r'"NanoCpus":(\d+)', r'"PidsLimit":(\d+)')
    assert any((found := re.search(slot, BODY)) and found.start(1) <= at < found.end(1) for slot in slots)
    assert character.isascii()


@given(
    st.integers(0, len(BODY)), st.sampled_from(['"Privileged":true,', " ", "\n", "\0", "{", '"', "\\u0061", "\ufeff"])
)
def test_nothing_can_be_put_in(at: int, extra: str) -> None:
    assert not accepted(request(RUN, BODY[:at] + extra + BODY[at:]))
