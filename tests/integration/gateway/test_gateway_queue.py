"""The queue over HTTP: who waits for what, why, and how it is moved and held."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.queue.events import QueueLeased
from fastflow_events.aggregates.run.commands import (
    ClaimAttempt,
    ConcludeRun,
    DispatchAttempt,
    FinishAttempt,
    RequestCancel,
    RequestRun,
)
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunCancelRequested, RunPrioritised, Trigger
from fastflow_events.execute import execute
from fastflow_events.message import render, statements
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.service.clock import utc_now
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    holder,
    pipeline_discovered,
    run_requested,
    specification,
    version_stored,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import caught_up, running_gateway
from fastflow_scheduler.testing import heartbeat, living_runners

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows two pipelines, of which `one` runs alone."""
    for name, definition in {"one": {"max_instances": 1}, "free": {}}.items():
        found = pipeline_discovered(definition=definition)
        await jetstream_log.append(Position(aggregate="pipeline", id=name), [found], cause=CAUSE)
    lease = QueueLeased(term=1, leader="a", max_running=10, ageing_s=60, default_pool="big")
    await jetstream_log.append(Position(aggregate="queue", id="main"), [lease], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        yield client


async def ask(log: JetStreamLog, run_id: str, pipeline: str, **more: object) -> None:
    request = RequestRun(request=run_requested(pipeline=pipeline, **more))
    await execute(log, run_decider, run_id, request, cause=CAUSE)


async def dispatch(log: JetStreamLog, run_id: str) -> None:
    command = DispatchAttempt(pool="big", term=1, specification=specification())
    await execute(log, run_decider, run_id, command, cause=CAUSE)


async def queue(api: httpx.AsyncClient, length: int) -> list[dict[str, object]]:
    async def found() -> list[dict[str, object]]:
        items: list[dict[str, object]] = (await api.get("/api/queue")).json()["items"]
        assert len(items) == length
        return items or [{}]

    return await eventually(found)


async def test_a_queued_run_says_what_it_waits_for_and_whose_end_would_free_it(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await ask(jetstream_log, "r1", "one")
    await dispatch(jetstream_log, "r1")
    await ask(jetstream_log, "r2", "one")

    async def blocked() -> dict[str, object]:
        [waiting] = await queue(api, 1)
        assert (waiting["id"], waiting["position"], waiting["blockers"]) == ("r2", 1, ["r1"])
        return waiting

    waiting = await eventually(blocked)
    assert waiting["waiting_for"] == "1 of at most 1 runs of this pipeline are active"
    why = (await api.get("/api/runs/r2/why")).json()
    assert why["waiting"]["blockers"] == ["r1"]
    assert [line["text"] for line in why["lines"]] == ["ann asked over http for a run of one"]


def as_said(message: dict[str, Any]) -> str:
    """The sentence, made of the code and the arguments alone."""
    return render(statements()[message["code"]].english, message["args"])


async def test_a_run_itself_says_what_it_waits_for(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog, nats_url: str
) -> None:
    async def says(run_id: str, reason: str, position: int | None) -> None:
        async def said() -> bool:
            one = (await api.get(f"/api/runs/{run_id}")).json()["waiting_for"]
            listed = {run["id"]: run["waiting_for"] for run in (await api.get("/api/runs")).json()["items"]}
            message = one.pop("reason_message")
            assert as_said(message) == reason
            assert listed[run_id].pop("reason_message") == message
            return bool(one == listed[run_id] == {"reason": reason, "position": position})

        await eventually(said, within_s=30)

    await ask(jetstream_log, "r1", "free")
    await ask(jetstream_log, "r2", "free", commit="d" * 40)
    await says("r1", "no runner of pool big is alive", 1)
    await says("r2", "its code: commit dddddddddd is being fetched", 2)
    stored = version_stored(commit="d" * 40)
    await jetstream_log.append((await jetstream_log.load("pipeline", "free")).position, [stored], cause=CAUSE)
    await dispatch(jetstream_log, "r1")
    await says("r1", "waiting for a runner", None)
    async with living_runners(nats_url, heartbeat(pools=("big",), slots=1)):
        await says("r2", "no free slot: pool big has 1 live runner", 1)
        assert [item["blockers"] for item in await queue(api, 1)] == [["r1"]]
    async with living_runners(nats_url, heartbeat(pools=("big",), slots=2)):
        await says("r2", "nothing is short: a scheduler admits it next", 1)


async def test_a_retry_waits_for_its_instant_and_then_in_the_queue(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await ask(jetstream_log, "r1", "free")
    await dispatch(jetstream_log, "r1")
    due = utc_now() + timedelta(days=1)
    failed = FinishAttempt(holder=holder(), finished=attempt_finished(outcome="failed"))
    for command in (ClaimAttempt(attempt=1, holder=holder()), failed, ConcludeRun(retry_due=due)):
        await execute(jetstream_log, run_decider, "r1", command, cause=CAUSE)
    assert await queue(api, 0) == [{}]

    async def waits(what: str, position: int | None) -> bool:
        found = (await api.get("/api/runs/r1")).json()["waiting_for"] or {}
        return str(found.get("reason")).startswith(what) and found["position"] == position

    await eventually(lambda: waits("the instant of its next attempt, 20", None))
    assert (await api.post("/api/runs/r1/hurry")).status_code == 204
    await eventually(lambda: waits("no runner of pool big", 1))


async def test_a_chain_links_its_runs_both_ways(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    await ask(jetstream_log, "a", "free", trigger=Trigger(kind="schedule", schedule="free:default", nominal=NOON))
    await ask(jetstream_log, "b", "free")
    await ask(jetstream_log, "c", "one", trigger=Trigger(kind="chain", who="free", upstream_run="a"))
    both = Trigger(kind="chain", who="free", upstream_run="b", upstream_runs=("a", "b"))
    await ask(jetstream_log, "d", "one", trigger=both)

    await caught_up(api.get, jetstream_log)
    assert (await api.get("/api/runs/d")).json()["upstream_runs"] == ["a", "b"]
    first = (await api.get("/api/runs/a")).json()
    assert first["downstream_runs"] == ["c", "d"]
    assert (first["schedule"], first["nominal"]) == ("free:default", "2026-03-01T12:00:00.000000Z")
    assert (await api.get("/api/runs/b")).json()["downstream_runs"] == ["d"]
    assert (await api.get("/api/runs/c")).json()["upstream_runs"] == ["a"]


async def test_a_purge_cancels_what_waits_and_nothing_else(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    for run_id, pipeline in {"r1": "free", "r2": "free", "r3": "one", "r4": "free"}.items():
        await ask(jetstream_log, run_id, pipeline)
    await dispatch(jetstream_log, "r4")
    await queue(api, 3)
    assert (await api.post("/api/queue/purge?pipeline=free&why=wrong+day")).json() == {"cancelled": 2}
    assert (await api.post("/api/queue/purge?pipeline=nobody")).status_code == 404
    facts = {id: (await jetstream_log.load("run", id)).facts[-1] for id in ("r1", "r2", "r3", "r4")}
    cancelled = {id: fact.why for id, fact in facts.items() if isinstance(fact, RunCancelRequested)}
    assert cancelled == {"r1": "wrong day", "r2": "wrong day"}
    assert (await api.post("/api/queue/purge")).json() == {"cancelled": 1}


async def test_priority_moves_a_run_in_the_queue(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    for run_id in ("r1", "r2"):
        await ask(jetstream_log, run_id, "free")
    assert (await api.post("/api/runs/r2/prioritise?priority=5")).status_code == 204

    async def moved() -> bool:
        return [item["id"] for item in await queue(api, 2)] == ["r2", "r1"]

    await eventually(moved)
    facts = (await jetstream_log.load("run", "r2")).facts
    assert any(isinstance(fact, RunPrioritised) for fact in facts)


async def test_pauses_are_what_runs_wait_for(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    await ask(jetstream_log, "r1", "free")
    assert (await api.post("/api/pause?why=upgrade")).status_code == 204

    async def waits_for(what: str) -> bool:
        return (await queue(api, 1))[0]["waiting_for"] == what

    await eventually(lambda: waits_for("everything is paused"))
    assert (await api.post("/api/resume")).status_code == 204
    assert (await api.post("/api/pipelines/free/pause")).status_code == 204
    await eventually(lambda: waits_for("the pipeline is paused"))
    assert (await api.post("/api/pipelines/nobody/pause")).status_code == 404


async def test_why_tells_the_whole_chain_of_causes(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    fired = Trigger(kind="schedule", schedule="free:default", nominal=NOON)
    await ask(jetstream_log, "first", "free", trigger=fired)
    await ask(jetstream_log, "second", "one", trigger=Trigger(kind="chain", who="free", upstream_run="first"))
    await execute(jetstream_log, run_decider, "second", RequestCancel(who="ann", why="enough"), cause=CAUSE)
    await execute(jetstream_log, run_decider, "second", ConcludeRun(), cause=CAUSE)
    why = (await api.get("/api/runs/second/why")).json()
    assert [line["text"] for line in why["lines"]] == [
        "schedule free:default, meant for 2026-03-01T12:00:00Z, asked for a run of free",
        "the end of run first of free asked for a run of one",
        "ann asked for its end: enough",
        "it is over: cancelled, cancelled before it was started",
    ]
    assert (why["status"], why["waiting"]) == ("cancelled", None)
    assert (await api.get("/api/runs/nobody/why")).status_code == 404


async def test_a_run_whose_runner_gives_no_sign_of_life_is_shown_as_unreachable(
    api: httpx.AsyncClient, nats_url: str, jetstream_log: JetStreamLog
) -> None:
    async def is_unreachable(*, wanted: bool) -> bool:
        run = (await api.get("/api/runs/r1")).json()
        [listed] = (await api.get("/api/runs")).json()["items"]
        return run["status"] == "preparing" and [run["unreachable"], listed["unreachable"]] == [wanted, wanted]

    await ask(jetstream_log, "r1", "one")
    await dispatch(jetstream_log, "r1")
    await execute(jetstream_log, run_decider, "r1", ClaimAttempt(attempt=1, holder=holder()), cause=CAUSE)
    await eventually(lambda: is_unreachable(wanted=True), within_s=30)
    async with living_runners(nats_url, heartbeat(holder().runner)):
        await eventually(lambda: is_unreachable(wanted=False), within_s=30)
