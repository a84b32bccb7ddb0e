"""A service stops when it is told to, in whatever it is just doing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.broker import make_broker
from fastflow_events.service.lifecycle import Service
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import Work, background, turned
from fastflow_events.testing.eventually import eventually

pytestmark = pytest.mark.nats
WITHIN_S = 20.0


async def test_a_service_that_is_told_to_stop_while_it_opens_closes_what_is_open(nats_url: str) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        seen.append("opening")
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()  # whoever it waits for never comes
            yield
        finally:
            seen.append("closed")

    async with asyncio.timeout(WITHIN_S):
        await Service(make_broker(Settings(nats_url=nats_url), "test"), surroundings).run()
    assert seen == ["opening", "closed"]


async def test_a_service_that_was_told_to_stop_before_it_began_takes_nothing(nats_url: str) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        yield
        seen.append("closed")

    service = Service(make_broker(Settings(nats_url=nats_url), "test"), surroundings)
    service.exit()
    async with asyncio.timeout(WITHIN_S):
        await service.run()
    assert seen == ["closed"]


async def test_a_service_whose_surroundings_fail_says_why(nats_url: str) -> None:
    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        raise InfrastructureError("the disk is away")
        yield

    with pytest.raises(InfrastructureError, match="the disk is away"):
        await Service(make_broker(Settings(nats_url=nats_url), "test"), surroundings).run()


async def fails_at_once() -> None:
    raise ZeroDivisionError("the ticker")


async def goes_round() -> None:
    turned()
    await asyncio.Event().wait()


async def never_round() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("swallows", [0, 1, 3])
async def test_work_that_fails_while_a_service_connects_ends_it_with_the_error_logged(
    nats_url: str, caplog: pytest.LogCaptureFixture, swallows: int
) -> None:
    """However often whoever connects takes the cancellation for its own."""
    work, found = Work(cancel_again_s=0.05), list[str]()

    class Swallowing(type(make_broker(Settings(), "test"))):  # type: ignore[misc]
        async def start(self) -> None:
            for _ in range(swallows):
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(WITHIN_S)
            await super().start()

    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        try:
            async with background(of=work, ticker=fails_at_once(), watch=goes_round()):
                yield
        finally:
            found.append("closed")

    broker = make_broker(Settings(nats_url=nats_url), "test")
    broker.__class__ = Swallowing
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(ZeroDivisionError, match="the ticker"):
            await Service(broker, surroundings, work).run()
    assert found == ["closed"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["ticker failed"]
    assert await work.ping() == "ticker failed: ZeroDivisionError"


async def test_work_that_fails_as_its_block_ends_leaves_it_all_the_same() -> None:
    async def lives_on() -> None:
        async with background(ticker=fails_at_once()):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(WITHIN_S)

    with pytest.raises(ZeroDivisionError):
        await lives_on()


async def test_a_service_is_ready_once_every_loop_has_gone_round_and_its_broker_has_started(nats_url: str) -> None:
    work, late = Work(), asyncio.Event()

    async def waits() -> None:
        await late.wait()
        await goes_round()

    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        async with background(of=work, ticker=waits(), watch=goes_round()):
            yield

    service = Service(make_broker(Settings(nats_url=nats_url), "test"), surroundings, work)
    running = asyncio.create_task(service.run())

    async def waits_for_the_ticker() -> bool:
        return await work.ping() == "not yet round: ticker"

    await eventually(waits_for_the_ticker)
    late.set()

    async def ready() -> bool:
        return await work.ping() is None

    await eventually(ready)
    service.exit()
    await running


async def test_a_loop_that_never_goes_round_keeps_a_service_from_being_ready() -> None:
    work = Work()
    async with background(of=work, ticker=never_round(), watch=goes_round()):
        await eventually(lambda: "watch" not in str(work._waited_for))
        assert await work.ping() == "not yet round: ticker"


async def test_work_that_swallows_a_cancellation_is_told_again_when_its_block_is_left() -> None:
    heard: list[str] = []

    async def deaf_at_first() -> None:
        while len(heard) < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                heard.append("cancel")

    async with asyncio.timeout(20), background(deaf_at_first(), of=Work(closes_within_s=0.05)):
        await asyncio.sleep(0)
    assert heard == ["cancel"] * 3
