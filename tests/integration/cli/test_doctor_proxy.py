"""`fastflow doctor --security` at a real HAProxy: the shipped policy stands, and one with a hole is found."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_cli.doctor.proxy_wall import TRIALS, Trial, refuses
from fastflow_cli.local.engine import Address, client
from fastflow_runner.core.container_spec import VERSIONS, Deployment
from fastflow_runner.testing.attacks import INSTALLATION
from fastflow_runner.testing.recording_engine import RecordingEngine
from fastflow_runner.testing.socket_proxy import socket_proxy

pytestmark = pytest.mark.docker
DEPLOYMENT = Deployment(installation=INSTALLATION)


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingEngine]:
    with RecordingEngine(str(tmp_path / "e.sock")) as engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        yield engine
        engine.shutdown()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_shipped_policy_lets_nothing_through_but_the_question_of_the_runner(
    tmp_path: Path, recording: RecordingEngine, version: str
) -> None:
    with socket_proxy(tmp_path, engine=recording.path, deployment=DEPLOYMENT, version=version) as url:
        found = refuses(Address(url))
    assert (found.state, f"speaks {version};" in found.detail) == ("ok", True), found.detail
    assert {arrived.target for arrived in recording.seen} == {f"/v{version}/_ping"}


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.method} {trial.target}")
def test_a_policy_with_a_hole_is_found_whatever_the_hole_lets_through(
    tmp_path: Path, recording: RecordingEngine, trial: Trial
) -> None:
    hole = f"{{ method {trial.method} }} {{ url -m str /v1.41{trial.target} }}"
    with socket_proxy(tmp_path, engine=recording.path, deployment=DEPLOYMENT, hole=hole) as url:
        found = refuses(Address(url))
    assert found.state == "missing"
    assert trial.what in found.detail


@pytest.mark.parametrize("prefix", ["", "/v1.24", "/v1.45"])
def test_a_hole_under_another_version_or_none_is_a_hole(
    tmp_path: Path, recording: RecordingEngine, prefix: str
) -> None:
    hole = f"{{ url -m beg {prefix}/networks }}"
    with socket_proxy(tmp_path, engine=recording.path, deployment=DEPLOYMENT, hole=hole) as url:
        found = refuses(Address(url))
    assert (found.state, "list networks" in found.detail) == ("missing", True), found.detail


def test_a_proxy_with_no_engine_behind_it_proves_nothing(tmp_path: Path) -> None:
    with socket_proxy(tmp_path, engine=str(tmp_path / "none.sock"), deployment=DEPLOYMENT) as url:
        found = refuses(Address(url))
    assert (found.state, "nothing was tried" in found.detail) == ("warning", True), found.detail


def test_nothing_that_is_tried_is_ever_done(engine: str) -> None:
    """Asked past every proxy, as a hole would let them, they are refused or only told."""
    with client(Address(f"unix://{engine}")) as http:
        for trial in TRIALS:
            kind = {"Content-Type": "application/json"} if trial.body else {}
            answer = http.request(trial.method, trial.target, content=trial.body, headers=kind)
            assert answer.is_error or trial.method == "GET", (trial.what, answer.status_code)
