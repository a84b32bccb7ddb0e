"""What differs since a pipeline last worked, over HTTP: real bundles, locks and outputs on a real nats-server."""

import asyncio
import io
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import zstandard
from fastflow_cli.__main__ import run
from fastflow_events import subjects
from fastflow_events.aggregates.environment.events import EnvironmentPrepared
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_events.ids import environment_id
from fastflow_events.nats.bundles import store_bundle
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Chunk, OutFrame, encode_chunk
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    specification,
    version_stored,
)
from fastflow_gateway.testing import caught_up, running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats
OLD, NEW = ("a" * 40, "1" * 40), ("b" * 40, "2" * 40)
HIDDEN = ["hidden-before", "hidden-after", "sealed-before"]


def bundle(**files: str) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return io.BytesIO(zstandard.compress(packed.getvalue()))


async def prepare(log: JetStreamLog, requirements: str, environment: str, lock: str) -> Requirements:
    """An environment that a runner has made."""
    made = EnvironmentPrepared(engine="e1", environment=environment, lock=lock, python="3.11", uv="0.9", prepare_s=1.0)
    id = environment_id("process", "3.11", "requirements", requirements)
    await log.append((await log.load("environment", id)).position, [made], cause=CAUSE)
    return Requirements(source="requirements", sha256=requirements)


async def ran(
    nc: Client,
    log: JetStreamLog,
    id: str,
    code: tuple[str, str],
    lines: list[str],
    *,
    outcome: str = "succeeded",
    manifest: dict[str, Any],
    params: dict[str, str],
    **given: Any,
) -> None:
    frames = tuple(OutFrame("stdout", NOON, f"{line}\n".encode()) for line in lines)
    await nc.jetstream().publish(
        subjects.output(id, 1, "runner-1"), encode_chunk(Chunk(first=0, frames=frames, last=True))
    )
    facts = (
        run_requested(commit=code[0], params=params),
        run_dispatched(specification=specification(commit=code[0], tree=code[1], **given)),
        run_claimed(),
        run_started(manifest=Manifest(executor="process", container="c", **manifest)),
        attempt_finished(outcome=outcome, finished_at=NOON, peak_memory_bytes=1 << 20),
        run_finished(outcome=outcome),
    )
    await log.append((await log.load("run", id)).position, facts, cause=CAUSE)


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=60) as client:
        yield client


async def changes(api: httpx.AsyncClient, id: str, **params: str) -> dict[str, Any]:
    answer = await api.get(f"/api/runs/{id}/changes", params=params)
    assert answer.status_code == 200, answer.text
    assert not any(value in answer.text for value in HIDDEN)
    found: dict[str, Any] = answer.json()
    return found


async def test_a_failure_is_compared_with_the_last_success_before_it(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = [pipeline_discovered(), *(version_stored(commit=commit, tree=tree) for commit, tree in (OLD, NEW))]
    await jetstream_log.append((await jetstream_log.load("pipeline", "hello")).position, facts, cause=CAUSE)
    await store_bundle(nc, OLD[1], bundle(main_py="a\nb\n", same_txt="x"), at=NOON)
    await store_bundle(nc, NEW[1], bundle(main_py="a\nB\n", same_txt="x"), at=NOON)
    was = await prepare(jetstream_log, "1" * 64, "e1" * 32, "pandas==2.3.1\nnumpy==2.0\n")
    now = await prepare(jetstream_log, "2" * 64, "e2" * 32, "pandas==2.3.2\nnumpy==2.0\n")
    lines = [f"2026-11-27 08:00:{n:02d} batch {n} of 90" for n in range(20)]
    await ran(
        nc, jetstream_log, "good", OLD, lines,
        manifest={"image": "i1", "environment": "e1" * 32}, params={"day": "1"}, requirements=was,
        env={"MODE": HIDDEN[0], "SAME": "x", "day": "1"}, sealed_env={"KEY": HIDDEN[2]}, secrets={"TOKEN": 1},
    )  # fmt: skip
    await ran(
        nc, jetstream_log, "bad", NEW, [line.replace("27 08", "28 09") for line in lines[:15]] + ["WARNING: slow"],
        outcome="failed", manifest={"image": "i2", "environment": "e2" * 32}, params={"day": "2"}, requirements=now,
        env={"MODE": HIDDEN[1], "SAME": "x", "day": "2"}, secrets={"TOKEN": 2},
    )  # fmt: skip
    await caught_up(api.get, jetstream_log)
    found = await changes(api, "bad")
    assert (found["run"]["id"], found["against"]["id"]) == ("bad", "good")
    assert found["verdict"] == (
        "only this differs: 1 file of the code; 1 package; 1 param; 2 variables; 1 secret; image"
    )
    assert found["verdict_message"]["code"] == "changes.these_differ"
    assert [commit["commit"] for commit in found["commits"]] == [NEW[0]]
    [file] = found["files"]
    assert (file["path"], file["change"], file["added_lines"], file["removed_lines"]) == ("main.py", "changed", 1, 1)
    assert "-b\n+B" in file["diff"]
    assert found["packages"] == [{"name": "pandas", "was": "2.3.1", "now": "2.3.2"}]
    assert found["params"] == [{"name": "day", "was": "1", "now": "2"}]
    assert [(each["name"], each["change"]) for each in found["variables"]] == [("KEY", "removed"), ("MODE", "changed")]
    assert found["secrets"] == [{"name": "TOKEN", "was": 1, "now": 2}]
    assert found["settings"] == [{"name": "image", "was": "i1", "now": "i2"}]
    assert {"name": "peak_memory_bytes", "was": 1 << 20, "now": 1 << 20} in found["numbers"]
    output = found["output"]
    assert (found["equal_lines"], output["before_line"], output["after_line"]) == (15, 16, 16)
    assert (len(output["before"]), output["after"][-1]) == (15, {"n": 16, "line_text": "WARNING: slow"})
    back = await changes(api, "good", **{"with": "bad"})
    assert (back["is_older_code"], back["packages"][0]["now"]) == (True, "2.3.1")
    alone = await changes(api, "good")
    assert (alone["against"], alone["verdict_message"]["code"]) == (None, "changes.nothing_before")
    same = await changes(api, "good", **{"with": "good"})
    assert (same["verdict_message"]["code"], same["output"], same["output_compared"]) == (
        "changes.nothing_differs",
        None,
        True,
    )
    assert (await api.get("/api/runs/bad/changes", params={"with": "nobody"})).status_code == 404
    elsewhere = (run_requested(pipeline="other"),)
    await jetstream_log.append((await jetstream_log.load("run", "elsewhere")).position, elsewhere, cause=CAUSE)
    refused = await api.get("/api/runs/bad/changes", params={"with": "elsewhere"})
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "with")
    capsys.readouterr()
    assert await asyncio.to_thread(run, ["changes", "bad", "--url", str(api.base_url)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[1] == found["verdict"]
    assert "package     pandas 2.3.1 -> 2.3.2" in rows
