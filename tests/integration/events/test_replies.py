"""Answers of several messages share one subscription, and never each other's messages."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.direct_get import get_batch
from fastflow_events.nats.event_log import STREAM, JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.eventually import eventually
from nats.aio.msg import Msg

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def connection(nats_url: str) -> AsyncIterator[Connection]:
    async with connect(Settings(nats_url=nats_url), "test") as nc:
        await deploy(nc)
        yield nc


async def test_many_questions_at_once_get_each_their_own_answer(connection: Connection) -> None:
    log = JetStreamLog(connection, source="/fastflow/test")
    for n in range(10):
        await log.append(Position(aggregate="run", id=f"r{n}"), [run_requested()], cause=CAUSE)
    before = len(connection._subs)

    async def ask(n: int) -> list[str]:
        found = await get_batch(connection, STREAM, subject=f"fastflow.evt.run.r{n % 10}.>", after_seq=0)
        return [stored.subject for stored in found]

    answers = await asyncio.gather(*map(ask, range(100)))
    assert answers == [[f"fastflow.evt.run.r{n % 10}.requested"] for n in range(100)]
    again = len(connection._subs)
    await asyncio.gather(*map(ask, range(100)))
    assert len(connection._subs) == again
    assert before <= again
    assert not connection.replies._takers


async def test_what_comes_after_whoever_asked_has_gone_is_dropped(connection: Connection) -> None:
    taken: list[bytes] = []

    async def take(msg: Msg) -> None:
        taken.append(msg.data)

    await connection.replies.listen()
    with connection.replies.taking(take) as first:
        await connection.publish(first, b"in time")
        await eventually(lambda: taken)
    with connection.replies.taking(take) as second:
        await connection.publish(first, b"late")
        await connection.publish(second, b"the next")
        await eventually(lambda: len(taken) == 2)
    assert taken == [b"in time", b"the next"]


async def test_a_question_nobody_answers_leaves_nothing_behind(connection: Connection) -> None:
    with pytest.raises(InfrastructureError):
        await get_batch(connection, "NO_SUCH_STREAM", subject=">", after_seq=0, timeout_s=5)
    assert not connection.replies._takers
