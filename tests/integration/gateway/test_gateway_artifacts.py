"""What runs left behind and what they used, over HTTP and on the command line, on a real nats-server."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_cli.commands.artifacts import artifacts, place_of
from fastflow_cli.errors import CliError, UsageError
from fastflow_cli.options import Where
from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunArtifactStored, RunSoftLimitExceeded
from fastflow_events.nats import topology
from fastflow_events.nats.artifacts import Artifact, store_artifact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Sample, encode_sample
from fastflow_events.testing.builders import (
    NOON,
    attempt_finished,
    run_finished,
    second_attempt,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import read_events, running_gateway
from fastflow_gateway.testing.idle_runner import RUN, IdleRunner
from nats.aio.client import Client

pytestmark = pytest.mark.nats
BIG = bytes(range(256)) * 5000
ODD = 'sub/"; x=y\r\nX-Evil: 1 é.html'


class Runner(IdleRunner):
    """Leaves and says what a runner does, without running anything."""

    def __init__(self, nc: Client, log: JetStreamLog) -> None:
        super().__init__(log)
        self._nc = nc

    async def leave(self, path: str, content: bytes, attempt: int = 1) -> str:
        async def pieces() -> AsyncIterator[bytes]:
            yield content

        stored = await store_artifact(self._nc, Artifact(run_id=RUN, attempt=attempt, path=path), pieces(), at=NOON)
        await self.say(
            RunArtifactStored(
                attempt=attempt, runner="runner-1", path=path, sha256=stored.sha256, size_bytes=stored.size_bytes
            )
        )
        return stored.sha256

    async def measure(self, n: int) -> None:
        sample = Sample(at=NOON + timedelta(seconds=n), cpus=n / 2, memory_bytes=n << 20, sent_bytes=n)
        await self._nc.jetstream().publish(subjects.sample(RUN, 1, "runner-1"), encode_sample(sample))


@pytest_asyncio.fixture
async def runner(nc: Client, jetstream_log: JetStreamLog) -> Runner:
    runner = Runner(nc, jetstream_log)
    await runner.start()
    return runner


@pytest_asyncio.fixture
async def api(nats_url: str, runner: Runner, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        running_gateway(nats_url, tmp_path, keep_alive_s=0.01) as base,
        httpx.AsyncClient(base_url=base, timeout=30) as client,
    ):
        yield client


async def test_files_are_listed_and_come_byte_for_byte_whatever_they_are_called(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    for path, content in ((ODD, BIG), ("empty", b"")):
        await runner.leave(path, content)
    listed = (await api.get(f"/api/runs/{RUN}/artifacts")).json()["items"]
    assert [(item["path"], item["size_bytes"]) for item in listed] == [(ODD, len(BIG)), ("empty", 0)]
    assert listed[0]["expires_at"] > listed[0]["stored_at"]
    for item, content in zip(listed, (BIG, b""), strict=True):
        answer = await api.get(item["url"])
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert "x-evil" not in answer.headers
        again = await api.get(item["url"], headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_the_newest_attempts_file_is_meant_unless_another_is_named(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    await runner.leave("a.txt", b"first")
    await runner.say(*second_attempt())
    await runner.leave("a.txt", b"second", attempt=2)
    assert (await api.get(f"/api/runs/{RUN}/artifacts/a.txt")).content == b"second"
    assert (await api.get(f"/api/runs/{RUN}/artifacts/a.txt?attempt=1")).content == b"first"
    assert len((await api.get(f"/api/runs/{RUN}/artifacts?attempt=2")).json()["items"]) == 1


async def test_what_is_not_there_is_said_in_a_sentence(api: httpx.AsyncClient, runner: Runner, nc: Client) -> None:
    await runner.leave("a.txt", b"first")
    await nc.jetstream().purge_stream(topology.ARTIFACTS)
    for path, words in (
        ("/api/runs/nobody/artifacts", "no such run"),
        ("/api/runs/nobody/metrics", "no such run"),
        (f"/api/runs/{RUN}/artifacts/b.txt", "the run left no such file behind"),
        (f"/api/runs/{RUN}/artifacts/a.txt?attempt=7", "attempt 7 left no such file behind"),
        (f"/api/runs/{RUN}/artifacts/a.txt", "not stored any more"),
    ):
        answer = await api.get(path)
        assert (answer.status_code, words in answer.json()["detail"]) == (404, True), path


async def test_samples_come_in_pages_and_live_and_the_stream_ends_with_the_run(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    for n in range(1, 4):
        await runner.measure(n)
    page = (await api.get(f"/api/runs/{RUN}/metrics?limit=2")).json()
    assert [item["memory_bytes"] >> 20 for item in page["items"]] == [1, 2]
    assert page["limits"] is not None
    rest = (await api.get(f"/api/runs/{RUN}/metrics?cursor={page['next']}")).json()
    assert ([item["cpus"] for item in rest["items"]], rest["next"]) == ([1.5], None)
    seen = []
    headers = {"Last-Event-ID": page["next"]}
    async with api.stream("GET", f"/api/runs/{RUN}/metrics/stream", headers=headers) as answer:
        async for event in read_events(answer.aiter_lines()):
            if event.name == "sample":
                seen.append(event.data["sent_bytes"])
                if event.data["sent_bytes"] == 3:
                    await runner.measure(4)
                    await runner.say(attempt_finished(), run_finished())
            elif event.name == "end":
                assert event.data["outcome"] == "succeeded"
                break
    assert seen == [3, 4]


async def test_a_run_shows_its_peaks_what_it_left_and_the_soft_limits_it_passed(
    api: httpx.AsyncClient, runner: Runner
) -> None:
    await runner.leave("a.txt", b"first")
    excess = RunSoftLimitExceeded(attempt=1, runner="runner-1", kind="cpus", limit=1, measured=1.7)
    await runner.say(excess, attempt_finished(peak_cpus=1.75, sent_bytes=9), run_finished())

    async def over() -> dict[str, object]:
        run: dict[str, object] = (await api.get(f"/api/runs/{RUN}")).json()
        return run if run["status"] == "succeeded" else {}

    run = await eventually(over)
    assert (run["artifacts"], run["soft_limits"], run["peak_cpus"], run["sent_bytes"]) == (1, ["cpus"], 1.75, 9)


async def test_the_command_brings_files_here_whole(
    api: httpx.AsyncClient, runner: Runner, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await runner.leave("plots/one.png", BIG)
    await runner.leave("table.csv", b"1;2")
    where, to = Where(url=str(api.base_url)), tmp_path / "here"
    await artifacts(RUN, where=where)
    assert "plots/one.png" in capfd.readouterr().out
    await artifacts(RUN, get=["plots/*"], to=to, where=where)
    assert (to / "plots" / "one.png").read_bytes() == BIG
    assert [path.name for path in to.rglob("*")] == ["plots", "one.png"]
    with pytest.raises(UsageError, match="left nothing behind that is called nothing"):
        await artifacts(RUN, get=["nothing"], to=to, where=where)


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", ""])
def test_no_name_leads_out_of_the_folder(path: str) -> None:
    with pytest.raises(CliError):
        place_of(Path("here"), path)
