"""Reactions settle every message by the error tree, and lose none."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.repository.events import RepositorySyncRequested
from fastflow_events.errors import ContractError, DomainError, InfrastructureError
from fastflow_events.nats import topology
from fastflow_events.nats.broker import Message, backoff_s, make_broker, on_messages, reaction
from fastflow_events.nats.direct_get import Stored, get_all
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.eventually import eventually
from nats.aio.client import Client

pytestmark = pytest.mark.nats

SYNC = subjects.event("repository", fact="sync_requested")


@asynccontextmanager
async def listening(url: str, handler: object) -> AsyncGenerator[None]:
    broker = make_broker(Settings(nats_url=url), "git_sync")
    reaction(broker, "git_sync-sync", subject=SYNC)(handler)  # type: ignore[arg-type]
    async with broker:
        await broker.start()
        yield


async def ask(log: JetStreamLog, who: str = "ann") -> None:
    position = (await log.load("repository", "main")).position
    await log.append(position, [RepositorySyncRequested(who=who)], cause=CAUSE)


async def dead_letters(nc: Client) -> list[Stored]:
    return [stored async for stored in get_all(nc, topology.DEAD, subject=subjects.DEAD)]


async def test_a_fact_reaches_its_handler_once(nats_url: str, jetstream_log: JetStreamLog) -> None:
    seen: list[Recorded] = []

    async def handler(recorded: Recorded) -> None:
        seen.append(recorded)

    async with listening(nats_url, handler):
        await ask(jetstream_log)
        await eventually(lambda: seen)
    async with listening(nats_url, handler):
        await ask(jetstream_log, "bob")
        await eventually(lambda: len(seen) == 2)
    assert [r.fact for r in seen] == [RepositorySyncRequested(who="ann"), RepositorySyncRequested(who="bob")]


async def test_the_world_failing_is_tried_again_and_a_rule_is_not(nats_url: str, jetstream_log: JetStreamLog) -> None:
    seen: list[str] = []

    async def handler(recorded: Recorded) -> None:
        assert isinstance(recorded.fact, RepositorySyncRequested)
        seen.append(recorded.fact.who)
        if seen == ["ann"]:
            raise InfrastructureError("away")
        if recorded.fact.who == "bob":
            raise DomainError("no")

    async with listening(nats_url, handler):
        await ask(jetstream_log)
        await ask(jetstream_log, "bob")
        await eventually(lambda: len(seen) == 3)
        await asyncio.sleep(1.2)  # a refusal must not come again, and nothing tells when it would
    assert seen == ["ann", "bob", "ann"]


async def test_what_nobody_can_read_is_kept_with_its_reason_and_nothing_stops(
    nats_url: str, jetstream_log: JetStreamLog, nc: Client
) -> None:
    seen: list[str] = []

    async def handler(recorded: Recorded) -> None:
        seen.append(recorded.id)

    async with listening(nats_url, handler):
        await nc.jetstream().publish(subjects.event("repository", "main", "sync_requested"), b"\xff not json")
        position = Position(aggregate="repository", id="other")
        await jetstream_log.append(position, [RepositorySyncRequested(who="ann")], cause=CAUSE)
        await eventually(lambda: seen == ["other"])
        [letter] = await eventually(lambda: dead_letters(nc))
    assert letter.subject == "fastflow.dead.git_sync"
    assert letter.data == b"\xff not json"
    assert letter.headers["Fastflow-Subject"] == "fastflow.evt.repository.main.sync_requested"
    assert "envelope" in letter.headers["Fastflow-Reason"]


async def test_messages_of_other_systems_come_with_their_position(nats_url: str, nc: Client) -> None:
    seen: list[Message] = []
    broker = make_broker(Settings(nats_url=nats_url), "gateway")

    async def handler(message: Message) -> None:
        seen.append(message)
        if message.data == b"bad":
            raise ContractError("not JSON:\nü")

    on_messages(broker, "gateway-triggers", subject=subjects.TRIGGERS, stream=topology.TRIGGERS)(handler)
    async with broker:
        await broker.start()
        await nc.jetstream().publish(subjects.trigger("a b"), b"12")
        await nc.jetstream().publish(subjects.trigger("a b"), b"bad")
        [letter] = await eventually(lambda: dead_letters(nc))
    assert [(m.subject, m.data, m.seq) for m in seen] == [
        ("fastflow.trigger.a=20b", b"12", 1),
        ("fastflow.trigger.a=20b", b"bad", 2),
    ]
    assert letter.headers["Fastflow-Seq"] == "2"


def test_the_pause_before_another_delivery_grows_to_a_minute() -> None:
    assert [backoff_s(n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
