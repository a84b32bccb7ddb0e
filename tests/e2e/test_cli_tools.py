"""Verbs that need no installation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastflow_events.nats.keys import seed_path

FASTFLOW = [sys.executable, "-m", "fastflow_cli"]


def fastflow(*arguments: str, env: dict[str, str] | None = None, code: int = 0) -> str:
    chosen = dict(os.environ) if env is None else env
    done = subprocess.run([*FASTFLOW, *arguments], env=chosen, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_the_doctor_on_an_empty_path_says_what_is_missing_and_what_to_type(tmp_path: Path) -> None:
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "FASTFLOW_ENGINE_RUN": str(tmp_path)}
    printed = fastflow("doctor", "--json", env=bare, code=6)
    findings = {f["name"]: f for f in json.loads(printed)["items"]}
    assert findings["python"]["state"] == "ok"
    for name in findings:
        if findings[name]["state"] != "ok":
            assert findings[name]["fix"], name
    git = findings["git"]
    assert (git["state"], git["detail"], git["fix"]) == ("missing", "not on PATH", "apt-get install git")
    printed = fastflow("doctor", env=bare, code=6)
    assert "Fast-Flow cannot start here: git" in printed


def test_keys_are_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    first = json.loads(fastflow("keys", "--folder", str(tmp_path / "k"), "--json"))
    again = json.loads(fastflow("keys", "--folder", str(tmp_path / "k"), "--json"))
    assert first == again
    for user in ("deployer", "gateway", "git_sync", "scheduler", "runner-1", "external"):
        assert seed_path(tmp_path / "k", user).stat().st_mode & 0o777 == 0o600
        assert first["public"][user] in (tmp_path / "k" / "accounts.conf").read_text()
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o700


@pytest.mark.nats
def test_streams_are_declared_and_declared_again(tmp_path: Path) -> None:
    from fastflow_events.testing.nats_server import nats_server  # noqa: PLC0415

    with nats_server(tmp_path / "nats") as url:
        env = {**os.environ, "FASTFLOW_NATS_URL": url}
        assert "stream FASTFLOW_EVENTS created" in fastflow("deploy-streams", env=env)
        assert fastflow("deploy-streams", env=env) == "everything is there already\n"
        assert json.loads(fastflow("deploy-streams", "--json", env=env))["changed"] == []


def test_a_name_becomes_one_subject_token() -> None:
    assert fastflow("subject", "é.x") == "=C3=A9=2Ex\n"
    assert json.loads(fastflow("subject", "-v a", "--json"))["trigger"] == "fastflow.trigger.-v=20a"
    assert "error:" in fastflow("subject", "", code=2)


def test_a_wrong_pipeline_json_is_found_before_it_is_pushed(tmp_path: Path) -> None:
    for name, metadata in (("right", '{"timeout": 60}'), ("wrong", '{"timeout": "soon"}'), ("plain", None)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").write_text("print()\n")
        if metadata is not None:
            (tmp_path / name / "pipeline.json").write_text(metadata)
    printed = fastflow("validate", str(tmp_path), code=1)
    assert "$.timeout: found" in printed
    assert "1 of 3 cannot pass" in printed
    assert json.loads(fastflow("validate", str(tmp_path / "right"), "--json"))["items"][0]["errors"] == []


@pytest.mark.parametrize("arguments", [("nothing",), ("run",), ("runs", "--limit", "many"), ("up", "--bogus")])
def test_a_wrong_command_line_is_one_sentence_and_a_line_to_type(arguments: tuple[str, ...]) -> None:
    printed = fastflow(*arguments, code=2)
    assert printed.startswith("error: ")
    assert "type:  fastflow --help" in printed


def test_help_names_every_verb_and_every_exit_code() -> None:
    printed = fastflow("--help")
    for verb in ("up", "demo", "status", "down", "run", "logs", "runs", "pipelines", "events", "cancel", "doctor"):
        assert f" {verb} " in printed
    assert "130: interrupted" in printed


def test_an_answer_that_nobody_reads_to_its_end_is_no_error(tmp_path: Path) -> None:
    line = f"{' '.join(FASTFLOW)} keys --folder {tmp_path}/k | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
