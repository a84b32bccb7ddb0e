"""Several runners: whose work is whose, how many at once, and who goes on when one of them is gone."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import AdoptAttempt, ClaimAttempt
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAdopted, RunAttemptFinished, RunClaimed, RunStarted
from fastflow_events.aggregates.run.state import heir_of
from fastflow_events.errors import FencedError
from fastflow_events.execute import execute
from fastflow_events.nats.client import Connection
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Chunk, OutFrame
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import CAUSE, NOON, holder, specification
from fastflow_events.testing.eventually import eventually
from fastflow_runner.adapters.bus.output import NatsOutput
from fastflow_runner.phases.claim import still_held
from fastflow_runner.ports import AttemptRef
from fastflow_runner.shipping import Shipper
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, dispatch, facts_of, submit, text_of
from nats.aio.client import Client

pytestmark = pytest.mark.nats

Make = Callable[..., LivingRunner]
SLOW = """
import os, time
token = os.urandom(4).hex()
for n in range({lines}):
    print(token, n, flush=True)
    time.sleep(0.1)
"""


@pytest_asyncio.fixture
async def make(nc: Client, nats_url: str, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes runners of one machine, which share a home."""
    with ExitStack() as made:

        def one(name: str, **settings: str) -> LivingRunner:
            runner = LivingRunner(tmp_path / "home", nats_url, name=name, executor="process", **settings)
            made.callback(runner.kill)
            return runner

        yield one


async def end_of(log: JetStreamLog, run_id: str, within_s: float = 60.0) -> RunAttemptFinished:
    [fact] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=within_s)
    assert isinstance(fact, RunAttemptFinished)
    return fact


async def lines_of(nc: Client, run_id: str) -> list[int]:
    """The numbers it printed, and that one process printed them all."""
    words = [line.split() for line in text_of(await chunks_of(nc, run_id)).splitlines()]
    assert len({token for token, _ in words}) == 1
    return [int(n) for _, n in words]


async def test_each_pool_is_served_by_its_runners_and_each_runner_keeps_to_its_slots(
    make: Make, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await deploy(nc, pools=["default", "gpu"])
    small = make("small", pools="default", slots="1")
    large = make("large", pools="gpu, default", slots="3")
    small.start()
    large.start()
    gpu = [await submit(nc, jetstream_log, SLOW.format(lines=5), pool="gpu") for _ in range(4)]
    default = [await submit(nc, jetstream_log, SLOW.format(lines=5)) for _ in range(8)]
    intervals: dict[str, list[tuple[float, float]]] = {"small": [], "large": []}
    for run_id in gpu + default:
        end = await end_of(jetstream_log, run_id)
        [started] = await facts_of(jetstream_log, run_id, RunStarted)
        assert isinstance(started, RunStarted)
        assert end.outcome == "succeeded"
        assert end.finished_at is not None
        assert await lines_of(nc, run_id) == list(range(5))
        intervals[end.runner].append((started.started_at.timestamp(), end.finished_at.timestamp()))
        if run_id in gpu:
            assert end.runner == "large"
    for name, slots in (("small", 1), ("large", 3)):
        assert intervals[name], f"{name} had nothing to do"
        assert max(sum(a <= at < b for a, b in intervals[name]) for at, _ in intervals[name]) <= slots


async def test_a_runner_that_is_gone_is_inherited_by_one_of_the_same_engine(
    make: Make, nc: Client, jetstream_log: JetStreamLog
) -> None:
    """The heir waits until the dead runner's lease has run out, and for as long again as it is told to."""
    dying, heir = make("dying"), make("heir", take_over_after_s="1")
    dying.start()
    running = await submit(nc, jetstream_log, SLOW.format(lines=300))
    await eventually(lambda: chunks_of(nc, running))
    dying.kill()
    dying.start(crash_at="claimed")
    claimed = await submit(nc, jetstream_log, SLOW.format(lines=3))
    assert await dying.ended() == -signal.SIGKILL
    heir.start()
    for run_id, lines in ((running, 300), (claimed, 3)):
        end = await end_of(jetstream_log, run_id)
        assert (end.outcome, end.runner, end.attempt) == ("succeeded", "heir", 1)
        assert await lines_of(nc, run_id) == list(range(lines))
        [claim] = await facts_of(jetstream_log, run_id, RunClaimed)
        assert isinstance(claim, RunClaimed)
        assert claim.runner == "dying"
        assert len(await facts_of(jetstream_log, run_id, RunStarted)) == 1


async def test_a_runner_that_only_slept_finds_its_attempt_in_other_hands_and_leaves_it_there(
    make: Make, nc: Client, jetstream_log: JetStreamLog
) -> None:
    sleeper, heir = make("sleeper"), make("heir", take_over_after_s="1")
    sleeper.start()
    run_id = await submit(nc, jetstream_log, SLOW.format(lines=320))
    await eventually(lambda: chunks_of(nc, run_id))
    sleeper.signal(signal.SIGSTOP)
    heir.start()
    await eventually(lambda: facts_of(jetstream_log, run_id, RunAdopted), within_s=40)
    sleeper.signal(signal.SIGCONT)
    await eventually(lambda: '"kept":true' in sleeper.log_text())
    end = await end_of(jetstream_log, run_id)
    assert (end.outcome, end.runner) == ("succeeded", "heir")
    assert await lines_of(nc, run_id) == list(range(320))


async def test_a_runner_that_only_slept_stores_no_output_behind_its_heirs(
    nc: Connection, jetstream_log: JetStreamLog
) -> None:
    """What it was about to store when it fell asleep is refused, and looking back tells it why."""
    run_id = await dispatch(jetstream_log, specification())
    ref, sleeper, heir = AttemptRef(run_id=run_id, attempt=1), holder(runner="sleeper"), holder(runner="heir")
    claim = ClaimAttempt(attempt=1, holder=sleeper, heir=heir_of("proof"))
    await execute(jetstream_log, run_decider, run_id, claim, cause=CAUSE)
    holders = partial(still_held, jetstream_log, ref, sleeper)
    shipper = Shipper(NatsOutput(nc, "sleeper"), ref, holders=holders)

    async def sleep_and_wake() -> None:
        async with background(shipper.send()):
            await shipper.put(OutFrame("stdout", NOON, b"0\n"))
            await eventually(lambda: chunks_of(nc, run_id))
            adopt = AdoptAttempt(attempt=1, holder=heir, proof="proof", heir=heir_of("other"))
            await execute(jetstream_log, run_decider, run_id, adopt, cause=CAUSE)
            later = Chunk(first=1, frames=tuple(OutFrame("stdout", NOON, b"%d\n" % n) for n in range(1, 9)))
            output = NatsOutput(nc, "heir")
            await output.append(ref, later, after_seq=await output.end(ref))
            await shipper.put(OutFrame("stdout", NOON, b"1\n"))
            await shipper.close()

    with pytest.raises(FencedError):
        await sleep_and_wake()
    assert text_of(await chunks_of(nc, run_id)).split() == [str(n) for n in range(9)]


async def test_a_runner_that_lives_is_not_inherited(make: Make, nc: Client, jetstream_log: JetStreamLog) -> None:
    busy, heir = make("busy"), make("heir", take_over_after_s="0")
    busy.start()
    run_id = await submit(nc, jetstream_log, SLOW.format(lines=80))
    await eventually(lambda: chunks_of(nc, run_id))
    heir.start()
    await asyncio.sleep(6)  # the heir has listened once by then
    assert (await end_of(jetstream_log, run_id)).runner == "busy"
    assert not await facts_of(jetstream_log, run_id, RunAdopted)
