"""What a run's own page asks for beside its row: attempts, cells and their outputs, files in parts, usage in points."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunArtifactStored, RunCellFinished, Trigger
from fastflow_events.nats.artifacts import Artifact, store_artifact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Chunk, OutFrame, Sample, encode_chunk, encode_sample
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    cancel_requested,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    second_attempt,
    specification,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import caught_up, running_gateway
from fastflow_gateway.testing.idle_runner import RUN, IdleRunner
from nats.aio.client import Client

pytestmark = pytest.mark.nats
POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)
FRAMED = f"{POLICY}; frame-ancestors 'self'"
PIXEL = "iVBORw0KGgo="


class Runner(IdleRunner):
    """Leaves and says what a runner does, without running anything."""

    def __init__(self, nc: Client, log: JetStreamLog) -> None:
        super().__init__(log)
        self._nc = nc

    async def leave(self, path: str, content: bytes) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield content

        stored = await store_artifact(self._nc, Artifact(run_id=RUN, attempt=1, path=path), pieces(), at=NOON)
        await self.say(
            RunArtifactStored(
                attempt=1, runner="runner-1", path=path, sha256=stored.sha256, size_bytes=stored.size_bytes
            )
        )

    async def write(self, *lines: str) -> None:
        frames = tuple(
            OutFrame("stdout", NOON + timedelta(seconds=n), f"{line}\n".encode()) for n, line in enumerate(lines)
        )
        subject = subjects.output(RUN, 1, "runner-1")
        await self._nc.jetstream().publish(subject, encode_chunk(Chunk(first=0, frames=frames)))

    async def measure(self, n: int, attempt: int = 1) -> None:
        sample = Sample(at=NOON + timedelta(seconds=n), cpus=n / 2, memory_bytes=n << 20, sent_bytes=n)
        await self._nc.jetstream().publish(subjects.sample(RUN, attempt, "runner-1"), encode_sample(sample))


@pytest.fixture
def runner(nc: Client, jetstream_log: JetStreamLog) -> Runner:
    return Runner(nc, jetstream_log)


@pytest_asyncio.fixture
async def api(nats_url: str, runner: Runner, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=30) as client:
        yield client


async def get(api: httpx.AsyncClient, path: str = "", **params: Any) -> Any:
    answer = await api.get(f"/api/runs/{RUN}{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_run_tells_of_each_attempt_of_its_secrets_and_of_who_ended_it(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    given = specification(secrets={"API_TOKEN": 3})
    await runner.say(run_requested(), run_dispatched(specification=given), run_claimed(), run_started())
    await runner.say(*second_attempt(), cancel_requested(why="enough"))
    ended = attempt_finished(2, outcome="cancelled", exit_code=None, output_lines=7, output_bytes=70, finished_at=NOON)
    await runner.say(ended, run_finished(outcome="cancelled", attempt=2))

    async def known() -> bool:
        answer = await api.get(f"/api/runs/{RUN}")
        return answer.status_code == 200 and answer.json()["status"] == "cancelled"

    await eventually(known)
    run = await get(api)
    first, second = run["attempts"]
    assert (first["n"], first["outcome"], first["exit_code"], first["runner"]) == (1, "failed", 1, "runner-1")
    assert second == {
        "n": 2,
        "runner": "runner-1",
        "started_at": "2026-03-01T12:00:00Z",
        "finished_at": "2026-03-01T12:00:00Z",
        "outcome": "cancelled",
        "exit_code": None,
        "lines": 7,
        "bytes": 70,
    }
    assert run["secrets"] == {}  # of the dispatch of the newest attempt, which was given none here
    assert (run["cancel"]["by"], run["cancel"]["why"], run["cancel"]["kind"]) == ("ann", "enough", "user")
    [listed] = (await api.get("/api/runs")).json()["items"]
    assert (listed["attempts"], listed["secrets"], listed["cancel"]) == (None, None, None)


async def test_cells_say_when_where_and_why_and_give_their_outputs_into_a_frame(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    given = specification(kind="notebook", entry_point="main.ipynb")
    await runner.say(run_requested(), run_dispatched(specification=given), run_claimed(), run_started())
    await runner.write(
        "fast-flow: cell 1 of 3",
        "hello",
        "fast-flow: cell 1 of 3: done in 0.1 s",
        "fast-flow: cell 2 of 3, try 1 of 2",
        "fast-flow: cell 2 of 3, try 1 of 2: failed after 0.1 s: ValueError: no; again in 1 s",
        "fast-flow: cell 2 of 3, try 2 of 2",
    )
    items = (await get(api, "/cells"))["items"]
    assert [(cell["cell"], cell["status"], cell["tries"]) for cell in items] == [(1, "succeeded", 1), (2, "running", 2)]
    assert items[0] == {
        "attempt": 1,
        "cell": 1,
        "status": "succeeded",
        "tries": 1,
        "started_at": "2026-03-01T12:00:00Z",
        "finished_at": "2026-03-01T12:00:02Z",
        "error": "",
        "from_line": 1,
        "to_line": 3,
    }
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": "# of mine"},
            {
                "cell_type": "code",
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
                    {"output_type": "display_data", "data": {"text/plain": "x", "text/html": "<script>1</script>"}},
                    {"output_type": "display_data", "data": {"image/png": PIXEL}},
                ],
            },
            {"cell_type": "code", "outputs": [{"output_type": "error", "ename": "E", "evalue": "v", "traceback": []}]},
        ]
    }
    await runner.leave("main.executed.ipynb", msgspec.json.encode(notebook))
    await runner.say(RunCellFinished(attempt=1, runner="runner-1", cell=2, succeeded=False, tries=2))
    assert [cell["status"] for cell in (await get(api, "/cells"))["items"]] == ["succeeded", "failed"]
    listed = (await get(api, "/cells/1/outputs"))["items"]
    assert [(each["k"], each["types"]) for each in listed] == [
        (1, ["text/plain"]),
        (2, ["text/html", "text/plain"]),
        (3, ["image/png"]),
    ]
    page = await api.get(listed[1]["url"])
    assert (page.content, page.headers["content-type"].partition(";")[0]) == (b"<script>1</script>", "text/html")
    assert page.headers["content-security-policy"] == FRAMED
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "x-frame-options" not in page.headers
    assert (await api.get(listed[1]["url"], params={"type": "text/plain"})).content == b"x"
    assert (await api.get(listed[2]["url"])).content == b"\x89PNG\r\n\x1a\n"
    assert (await api.get(listed[0]["url"])).content == b"one\ntwo\n"
    assert (await api.get(f"/api/runs/{RUN}/cells/2/outputs/1")).content == b"E: v"
    for path in ("cells/3/outputs", "cells/1/outputs/4", "cells/0/outputs", "cells/1/outputs/1?type=image/gif"):
        assert (await api.get(f"/api/runs/{RUN}/{path}")).status_code == 404


async def test_files_come_in_ranges_and_are_viewed_in_a_sandbox(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    content = bytes(range(256)) * 3000
    await runner.leave("report.html", content)
    url = f"/api/runs/{RUN}/artifacts/report.html"
    size = len(content)
    for asked, begin, end in (("0-0", 0, 1), ("300000-400000", 300_000, 400_001), ("-5", size - 5, size)):
        part = await api.get(url, headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, content[begin:end])
        assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    other = await api.get(url, headers={"Range": "bytes=0-0", "If-Range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, size)
    none = await api.get(url, headers={"Range": f"bytes={size}-"})
    assert (none.status_code, none.headers["content-type"]) == (416, "application/problem+json")
    viewed = await api.get(url, params={"view": 1})
    assert viewed.headers["content-type"].partition(";")[0] == "text/html"
    assert viewed.headers["content-security-policy"] == FRAMED
    assert "content-disposition" not in viewed.headers or viewed.headers["content-disposition"] == "inline"
    assert (await api.get(url)).headers["content-disposition"].startswith("attachment; ")


async def test_usage_comes_in_few_points_of_one_attempt(api: httpx.AsyncClient, runner: Runner) -> None:
    await runner.start()
    for n in range(100):
        await runner.measure(n)
    page = await get(api, "/metrics", points=10)
    assert page["items"] == []
    assert [bucket["samples"] for bucket in page["buckets"]] == [10] * 10
    assert page["buckets"][9]["cpus"] == {"min": 45.0, "mean": 47.25, "max": 49.5}
    assert page["buckets"][9]["sent_bytes"] == 99
    assert (await get(api, "/metrics", points=10, attempt=2))["buckets"] == []
    assert (await get(api, "/metrics"))["buckets"] is None


async def test_a_run_says_what_is_usual_and_which_runs_repeat_it(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    for n in range(1, 9):
        begun = NOON + timedelta(hours=n)
        ended = attempt_finished(finished_at=begun + timedelta(seconds=n))
        config = "slow" if n > 6 else None
        facts = (
            run_requested(run_config_id=config), run_dispatched(), run_claimed(), run_started(started_at=begun), ended,
            run_finished(),
        )  # fmt: skip
        await jetstream_log.append((await jetstream_log.load("run", f"r{n}")).position, facts, cause=CAUSE)
    again = run_requested(trigger=Trigger(kind="http", who="ann", rerun_of="r1"))
    await jetstream_log.append((await jetstream_log.load("run", "again")).position, (again,), cause=CAUSE)
    await caught_up(api.get, jetstream_log)
    runs = {id: (await api.get(f"/api/runs/{id}")).json() for id in ("r1", "r5", "r6", "r8", "again")}
    assert [runs[id]["usual"] for id in ("r5", "r6", "r8")] == [None, {"p50_s": 3.0, "p95_s": 5.0}, None]
    assert runs["again"]["usual"] == {"p50_s": 3.0, "p95_s": 6.0}
    assert (runs["r1"]["rerun_as"], runs["r5"]["rerun_as"], runs["again"]["rerun_of"]) == (["again"], [], "r1")
    listed = (await api.get("/api/runs")).json()["items"]
    assert {(run["usual"], run["rerun_as"]) for run in listed} == {(None, None)}
