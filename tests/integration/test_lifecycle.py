"""A service stops when it is told to, in whatever it is just doing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastflow_events.broker import make_broker
from fastflow_events.errors import InfrastructureError
from fastflow_events.lifecycle import Service
from fastflow_events.settings import Settings

pytestmark = pytest.mark.nats
WITHIN_S = 20.0


async def test_a_service_that_is_told_to_stop_while_it_opens_closes_what_is_open(nats_url: str) -> None:
    said: list[str] = []

    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        said.append("opening")
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()  # whoever it waits for never comes
            yield
        finally:
            said.append("closed")

    async with asyncio.timeout(WITHIN_S):
        await Service(make_broker(Settings(nats_url=nats_url), "test"), surroundings).run()
    assert said == ["opening", "closed"]


async def test_a_service_that_was_told_to_stop_before_it_began_takes_nothing(nats_url: str) -> None:
    said: list[str] = []

    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        yield
        said.append("closed")

    service = Service(make_broker(Settings(nats_url=nats_url), "test"), surroundings)
    service.exit()
    async with asyncio.timeout(WITHIN_S):
        await service.run()
    assert said == ["closed"]


async def test_a_service_whose_surroundings_fail_says_why(nats_url: str) -> None:
    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        raise InfrastructureError("the disk is away")
        yield

    with pytest.raises(InfrastructureError, match="the disk is away"):
        await Service(make_broker(Settings(nats_url=nats_url), "test"), surroundings).run()
