"""A runner falls silent with its machine: its attempts are lost, and run again on another engine where that is wanted.

The other engine is another home: what one runner has started the other cannot see.
"""

import signal
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunAttemptFinished,
    RunClaimed,
    RunFinished,
    RunLost,
    RunStarted,
)
from fastflow_events.fact import Fact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeat_of
from fastflow_events.testing.eventually import eventually
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_scheduler.testing import scheduling
from nats.aio.client import Client

pytestmark = pytest.mark.nats
FIRST_WAITS = """
import os, time
print(os.getpid(), flush=True)
while os.environ["FASTFLOW_ATTEMPT"] == "1" and not os.path.exists({flag!r}):
    time.sleep(0.05)
print("attempt", os.environ["FASTFLOW_ATTEMPT"])
"""


class Engines:
    """Two engines with a runner each, of which one works; the other takes over what is lost."""

    def __init__(self, log: JetStreamLog, nc: Client, url: str, folder: Path) -> None:
        self._log = log
        self._nc = nc
        self._folder = folder
        self.first = LivingRunner(folder / "first", url, name="first", executor="process")
        self.second = LivingRunner(folder / "second", url, name="second", executor="process")

    async def begun(self, name: str, **more: object) -> tuple[str, int]:
        """A run whose first attempt has written something, and its process."""
        script = FIRST_WAITS.format(flag=str(self._folder / name))
        run_id = await submit(self._nc, self._log, script, **more)  # type: ignore[arg-type]
        await eventually(lambda: chunks_of(self._nc, run_id), within_s=60)
        return run_id, int(text_of(await chunks_of(self._nc, run_id)))

    def let_end(self, name: str) -> None:
        """Its script need not wait any longer."""
        (self._folder / name).touch()

    async def the(self, run_id: str, kind: type[Fact]) -> Fact:
        """The only fact of a kind."""
        [fact] = await eventually(lambda: facts_of(self._log, run_id, kind), within_s=120)
        return fact

    async def ran_again(self, run_id: str) -> bool:
        """True when the second attempt, and nothing else, ended the run."""
        end, over = await self.the(run_id, RunAttemptFinished), await self.the(run_id, RunFinished)
        lost = await self.the(run_id, RunLost)
        assert isinstance(end, RunAttemptFinished)
        assert isinstance(over, RunFinished)
        assert isinstance(lost, RunLost)
        claims = [c.engine for c in await facts_of(self._log, run_id, RunClaimed) if isinstance(c, RunClaimed)]
        assert len(set(claims)) == len(claims) == 2
        assert not await facts_of(self._log, run_id, RunAdopted)
        assert len(await facts_of(self._log, run_id, RunStarted)) == 2
        assert text_of(await chunks_of(self._nc, run_id, 2)).splitlines()[1:] == ["attempt 2"]
        return (lost.attempt, end.attempt, end.runner, end.outcome, over.outcome) == (
            1,
            2,
            "second",
            "succeeded",
            "succeeded",
        )


@pytest_asyncio.fixture
async def engines(jetstream_log: JetStreamLog, nc: Client, nats_url: str, tmp_path: Path) -> AsyncGenerator[Engines]:
    with ExitStack() as stack:
        engines = Engines(jetstream_log, nc, nats_url, tmp_path)
        stack.callback(engines.first.kill)
        stack.callback(engines.second.stop)
        yield engines


async def test_an_attempt_that_is_lost_runs_again_on_another_engine_where_that_is_asked_for(
    engines: Engines, nc: Client, nats_url: str, tmp_path: Path
) -> None:
    """Takes two leases and a margin, because whoever has just begun to listen may not give anybody up sooner."""
    async with scheduling(nats_url, tmp_path / "scheduler", lost_after_s=1):
        engines.first.start()
        await eventually(lambda: heartbeat_of(nc, "first"), within_s=60)
        waiting, process = await engines.begun("waiting", retry_on_lost=True)
        ending, _ = await engines.begun("ending", retry_on_lost=True)
        once, _ = await engines.begun("once")
        engines.first.signal(signal.SIGSTOP)
        engines.let_end("ending")
        engines.second.start()
        assert await engines.ran_again(waiting)
        assert await engines.ran_again(ending)
        over = await engines.the(once, RunFinished)
        assert isinstance(over, RunFinished)
        assert (over.outcome, over.attempt, over.detail) == ("lost", 1, "runner first did not come back")
        assert Path(f"/proc/{process}").exists(), "the first attempt has ended too soon to prove anything"
        engines.first.signal(signal.SIGCONT)
        await eventually(lambda: not Path(f"/proc/{process}").exists(), within_s=60)

        async def idle() -> bool:
            beat = await heartbeat_of(nc, "first")
            return bool(beat and beat[0] and beat[0].running == 0)

        await eventually(idle, within_s=60)
        for run_id in (waiting, ending):
            assert await engines.ran_again(run_id)
        assert await engines.the(once, RunFinished) == over
