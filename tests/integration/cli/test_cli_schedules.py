"""`fastflow schedules`, `fastflow backfill` and `fastflow purge` against a gateway."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from fastflow_cli.__main__ import run
from fastflow_events.aggregates.backfill.events import BackfillCancelled, BackfillRequested
from fastflow_events.aggregates.schedule.events import SchedulePaused, ScheduleRemoved, ScheduleResumed, ScheduleSet
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats

RANGE = ("--since", "2026-01-01", "--until", "2026-01-30")


class Told(NamedTuple):
    """What a command line said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Command(NamedTuple):
    """`fastflow` for one gateway."""

    url: str
    captured: pytest.CaptureFixture[str]

    async def __call__(self, *words: str) -> Told:
        self.captured.readouterr()
        code = await asyncio.to_thread(run, [*words, "--url", self.url])
        return Told(code, *self.captured.readouterr())


@pytest_asyncio.fixture
async def fastflow(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncGenerator[Command]:
    """The command for a gateway that knows a pipeline with a schedule, and one without."""
    fields = {"schedules": [{"id": "nightly", "cron": "0 3 * * *", "timezone": "Europe/Berlin"}]}
    for name, definition in {"hello world": fields, "other": {}}.items():
        found = pipeline_discovered(definition=definition)
        await jetstream_log.append(Position(aggregate="pipeline", id=name), [found], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base:

        async def known() -> bool:
            async with httpx.AsyncClient(base_url=base, timeout=20) as client:
                return len((await client.get("/api/pipelines")).json()["items"]) == 2

        await eventually(known)
        yield Command(base, capsys)


async def test_schedules_are_listed_added_and_removed(fastflow: Command, jetstream_log: JetStreamLog) -> None:
    made = await fastflow(
        *(
            "schedules",
            "add",
            "other",
            "often",
            "--every",
            "15m",
            "--jitter",
            "30s",
            "-p",
            "A=1",
            "--end",
            "2099-01-31",
        ),
        *("--catchup", "all", "--within", "2h"),
    )
    assert (made.code, "fires next: 20" in made.err) == (0, True), made
    [fact] = (await jetstream_log.load("schedule", "other:often")).facts
    assert isinstance(fact, ScheduleSet)
    assert (fact.interval_s, fact.jitter_s, fact.params) == (900, 30, {"A": "1"})
    assert (fact.catchup.policy, fact.catchup.within_s) == ("all", 7200)
    assert fact.end is not None
    assert fact.end.isoformat() == "2099-01-31T23:59:59.999999+00:00"
    listed = (await fastflow("schedules", "list", "--json")).json["items"]
    assert [(s["pipeline"], s["name"], s["source"]) for s in listed] == [
        ("hello world", "nightly", "file"),
        ("other", "often", "api"),
    ]
    table = (await fastflow("schedules", "list", "hello world")).out
    assert "Europe/Berlin" in table
    assert "0 3 * * *" in table
    assert (await fastflow("schedules", "remove", "other", "often")).code == 0
    assert isinstance((await jetstream_log.load("schedule", "other:often")).facts[-1], ScheduleRemoved)


async def test_a_schedule_is_paused_and_resumed_and_tells_its_next_fires(
    fastflow: Command, jetstream_log: JetStreamLog
) -> None:
    mine = ("hello world", "nightly")
    fires = (await fastflow("schedules", "next", *mine, "--count", "400", "--json")).json["items"]
    assert len(fires) == 400
    assert (await fastflow("schedules", "pause", *mine)).code == 0
    assert "paused" in (await fastflow("schedules", "list")).out
    assert "it does not fire" in (await fastflow("schedules", "next", *mine)).err
    assert (await fastflow("schedules", "resume", *mine)).code == 0
    facts = (await jetstream_log.load("schedule", "hello world:nightly")).facts
    assert [type(fact) for fact in facts] == [SchedulePaused, ScheduleResumed]


async def test_what_is_wrong_with_a_schedule_is_said_with_the_line_to_type(fastflow: Command) -> None:
    printed = await fastflow("schedules", "add", "other", "x", "--every", "soon")
    assert (printed.code, "15m" in printed.err) == (2, True)
    printed = await fastflow("schedules", "add", "other", "x")
    assert (printed.code, "--cron" in printed.err) == (2, True)
    printed = await fastflow("schedules", "add", "other", "x", "--cron", "now and then")
    assert (printed.code, "crontab" in printed.err) == (2, True)
    printed = await fastflow("schedules", "add", "other", "x", "--cron", "@daily", "--timezone", "Berlin")
    assert "Europe/Berlin" in printed.err
    printed = await fastflow("schedules", "remove", "hello world", "nightly")
    assert (printed.code, "fastflow schedules pause" in printed.err) == (2, True)
    printed = await fastflow("schedules", "next", "nobody", "nightly")
    assert printed.code == 4


async def test_a_purge_says_of_what(fastflow: Command) -> None:
    printed = await fastflow("purge")
    assert (printed.code, "--everything" in printed.err) == (2, True)
    assert (await fastflow("purge", "--everything", "--json")).json == {"cancelled": 0}
    assert (await fastflow("purge", "nobody")).code == 4


async def test_a_backfill_is_previewed_started_watched_and_cancelled(
    fastflow: Command, jetstream_log: JetStreamLog
) -> None:
    mine = ("hello world", "nightly", *RANGE)
    printed = await fastflow("backfill", "preview", *mine)
    assert (printed.code, "2026-01-01 02:00:00Z" in printed.out, "30 runs" in printed.err) == (0, True, True)
    made = await fastflow("backfill", "start", *mine, "--concurrency", "3")
    id = made.out.strip()
    [fact] = (await jetstream_log.load("backfill", id)).facts
    assert isinstance(fact, BackfillRequested)
    assert (fact.concurrency, len(fact.instants)) == (3, 30)
    assert (await fastflow("backfill", "status", id)).out.startswith("0 of 30 runs were asked for")
    assert (await fastflow("backfill", "cancel", id, "--why", "wrong month")).code == 0
    last = (await jetstream_log.load("backfill", id)).facts[-1]
    assert isinstance(last, BackfillCancelled)
    assert last.why == "wrong month"
    assert (await fastflow("backfill", "status", id, "--json")).json["cancelled"]
    assert (await fastflow("backfill", "status", "nobody")).code == 4
    printed = await fastflow(
        "backfill", "start", "hello world", "nightly", "--since", "2026-02-01", "--until", "2026-01-01"
    )
    assert (printed.code, "--since" in printed.err) == (2, True)
