"""`fastflow demo`: the promise on the first page of the README."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fastflow_cli.local.engine import Engine, find_engine, has_image
from fastflow_cli.local.proxy import find_proxy
from fastflow_cli.local.services import WORKER_IMAGE

pytestmark = [pytest.mark.nats, pytest.mark.e2e]

STEPS = [
    "repository",
    "services",
    "pipelines found",
    "trigger",
    "output",
    "facts (seq time type)",
    "rebuild of the read model",
]


def demo(tmp_path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FASTFLOW_") or k == "FASTFLOW_NATS_SERVER"}
    argv = [sys.executable, "-m", "fastflow_cli", "demo", *arguments]
    env = {**kept, "TMPDIR": str(tmp_path), **env}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=450)


def assert_told(done: subprocess.CompletedProcess[str], executor: str) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if re.match(r"\d\. ", line)] == [f"{n}. {s}" for n, s in enumerate(STEPS, start=1)]
    run_id = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    last = rf"demo passed: run {run_id} succeeded on the {executor} executor, read model identical at seq \d+, [\d.]+ s"
    assert re.fullmatch(last, lines[-1])
    assert any(line.startswith("   curl -X POST http://127.0.0.1:") for line in lines)
    facts = re.findall(rf"^   \d+ {INSTANT} (run\.\w+)\.v1$", done.stdout, re.MULTILINE)
    assert facts == [f"run.{fact}" for fact in FACTS]
    before, after = re.findall(r"sha256 ([0-9a-f]{64})", done.stdout)
    assert before == after


FACTS = ("requested", "dispatched", "claimed", "started", "attempt_finished", "finished")
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"


def test_the_demo_passes_on_the_process_executor_and_leaves_nothing_behind(tmp_path: Path) -> None:
    assert_told(demo(tmp_path, "--executor", "process"), "process")
    assert list(tmp_path.glob("fastflow-demo-*")) == []


@pytest.mark.docker
@pytest.mark.timeout(600)
def test_the_demo_passes_in_containers_through_the_proxy_with_packages_from_the_cache(tmp_path: Path) -> None:
    engine = find_engine(os.environ)
    if (
        not isinstance(engine, Engine)
        or not has_image(engine, WORKER_IMAGE)
        or isinstance(find_proxy(engine, os.environ), str)
    ):
        if os.environ.get("CI") or os.environ.get("FASTFLOW_TEST_STRICT"):
            pytest.fail("no engine, worker image or HAProxy")
        pytest.skip("no engine, worker image or HAProxy")
    done = demo(tmp_path, "--executor", "docker", "--keep")
    assert_told(done, "docker")
    assert "proxy" in done.stdout
    assert "once more: environment" in done.stdout
    assert re.search(r"container fastflow-\S+ is gone", done.stdout)
    policy = next(tmp_path.glob("fastflow-demo-*/home/runner/haproxy.cfg")).read_text()
    assert "http-request deny status 403" in policy


def test_a_demo_that_fails_says_why_and_cleans_up(tmp_path: Path) -> None:
    examples = Path(tempfile.mkdtemp(dir=tmp_path)) / "examples"
    (examples / "slow_output").mkdir(parents=True)
    (examples / "slow_output" / "main.py").write_text("raise SystemExit(9)\n")
    done = demo(tmp_path, "--executor", "process", "--examples", str(examples))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "exit code 9" in done.stderr
    assert "the end of runner's log" in done.stderr
    assert "demo passed" not in done.stdout
    assert list(tmp_path.glob("fastflow-demo-*")) == []
