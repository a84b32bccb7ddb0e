"""A nats-server that reads what it has stored is waited for; one that hangs is ended, and its last words are told."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.server_process import answering, find_binary, launch, wait_for
from fastflow_events.progress_timeout import ProgressTimeout
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.service.work_signs import signs_of
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer

pytestmark = pytest.mark.nats

LIMIT_S = 4.0
"""Far below what the slow server below takes, far above the pauses in which it can do nothing."""


def begins_stopped() -> tuple[str, ...]:
    """A command that stops itself and becomes the server when somebody lets it go on."""
    return ("sh", "-c", 'kill -STOP $$; exec "$@"', "sh")


async def filled(store: Path) -> None:
    """A log in that folder whose server was killed."""
    server = MortalServer(store)
    async with connect(Settings(nats_url=server.url), "test") as nc:
        await deploy(nc)
        log = JetStreamLog(nc, source="/test")
        for number in range(20):
            await log.append(Position(aggregate="run", id=f"r{number}"), [run_requested()], cause=CAUSE)
    server.kill()


def let_it_say(log: Path, pid: int, lines: list[str]) -> None:
    """Have the server's log grow for twice the limit while it is slow, and then let it work at its own speed."""
    began = time.monotonic()
    while time.monotonic() - began < 2 * LIMIT_S:
        with log.open("a") as words:
            words.write(
                f"[{pid}] 2026/11/28 12:00:00.000000 [INF]   Starting restore for stream 'CORE > FASTFLOW_EVENTS'\n"
            )
        lines.append("said")
        time.sleep(0.25)
    os.kill(pid, signal.SIGCONT)


async def test_a_server_that_is_slower_than_any_limit_but_gets_on_is_waited_for_and_told_of(tmp_path: Path) -> None:
    await filled(tmp_path)
    starting = launch(find_binary(os.environ), tmp_path, prefix=begins_stopped(), stalled_after_s=LIMIT_S)
    seen: list[str] = []
    slow = threading.Thread(target=let_it_say, args=(tmp_path / "nats.log", starting.process.pid, []))
    slow.start()
    try:
        running = await answering(starting, seen.append)
    finally:
        slow.join()
    try:
        assert "waiting for nats-server" in seen[0]
        assert "[INF]   Starting restore for stream 'CORE > FASTFLOW_EVENTS'" in seen[0]
        async with connect(Settings(nats_url=running.url), "test") as nc:
            assert await JetStreamLog(nc, source="/test").last_seq() == 20
    finally:
        starting.end()


async def test_a_server_that_hangs_is_ended_and_told_of(tmp_path: Path) -> None:
    starting = launch(find_binary(os.environ), tmp_path, prefix=begins_stopped(), stalled_after_s=1.0)
    with pytest.raises(InfrastructureError, match="no sign of work for 1 s"):
        await answering(starting, lambda _: None)
    assert starting.process.poll() is not None


def test_a_server_that_ends_is_told_of_with_its_own_words(tmp_path: Path) -> None:
    starting = launch(find_binary(os.environ), tmp_path, config="no such thing: {")
    with pytest.raises(InfrastructureError, match="nats-server: Parse error"):
        wait_for(starting)


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> Iterator[int]:
    """Process id of a shell that does what the test says."""
    process = subprocess.Popen(["sh", "-c", request.param], stderr=subprocess.DEVNULL)
    yield process.pid
    process.kill()
    process.wait()


@pytest.mark.parametrize("worker", ["while :; do :; done", "exec dd if=/dev/zero of=/dev/null bs=1M"], indirect=True)
async def test_work_is_seen_although_nothing_is_said(tmp_path: Path, worker: int) -> None:
    progress_timeout = ProgressTimeout(0.0, stalled_after_s=1.0)
    progress_timeout.saw(signs_of(worker, tmp_path / "none"), 0.0)

    def seen_to_work() -> bool:
        progress_timeout.saw(signs_of(worker, tmp_path / "none"), 1.0)
        return not progress_timeout.over(1.0)

    await eventually(seen_to_work, within_s=60)
