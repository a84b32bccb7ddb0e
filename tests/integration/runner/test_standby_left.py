"""What a pool leaves on the engine when it stops, or did not stop in order: nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from docker import DockerClient
from fastflow_runner.adapters.docker.engine import Answer, Engine
from fastflow_runner.adapters.docker.pool import Pool
from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.closing import usual
from fastflow_runner.testing.standby import DEPLOYMENT, OWNER, seen
from msgspec import structs

pytestmark = pytest.mark.docker
MINE = structs.replace(DEPLOYMENT, owner=OWNER)
RUN = MINE.names.prefix + "7f0c0c0e-0000-4000-8000-000000000001-1"


class HeldBack(Engine):
    """A connection on which containers are made only when the test lets them."""

    def __init__(self, url: str) -> None:
        super().__init__(url, MINE)
        self.let = asyncio.Event()

    async def call(self, name: str, body: bytes | None = None, /, **values: str) -> Answer:
        if name == "create":
            await self.let.wait()
        return await super().call(name, body, **values)


@pytest.fixture
async def engine_before(proxy: str) -> AsyncIterator[Engine]:
    engine = Engine(proxy, MINE)
    yield engine
    engine.close()


@pytest.fixture
async def held_back(proxy: str) -> AsyncIterator[HeldBack]:
    engine = HeldBack(proxy)
    yield engine
    engine.close()


def a_pool(engine: Engine) -> Pool:
    return Pool(engine, MINE, owner=OWNER, usual=usual("", ""), passed=lambda _: None)


async def nothing_stays(pool: Pool, person: DockerClient) -> None:
    """The last thing that a runner does."""
    await pool.sweep(last=True)
    pool.nets.shrink(0, "")
    await pool.nets.clean()
    assert [left.name for kind in ("net", "standby") for left in seen(person, kind)] == []


async def test_a_worker_whose_removal_was_broken_off_goes_with_its_namespace(
    engine_before: Engine, person: DockerClient
) -> None:
    pool = a_pool(engine_before)
    await pool.make(Bounds())
    pool.waiting.clear()
    await nothing_stays(pool, person)


async def test_namespaces_of_a_process_before_are_found_while_a_new_one_is_being_made(
    engine_before: Engine, held_back: HeldBack, person: DockerClient
) -> None:
    await a_pool(engine_before).make(Bounds())
    pool = a_pool(held_back)
    with pool.start_of(RUN, Bounds()):
        making = asyncio.create_task(pool.nets.make(RUN))
        await asyncio.sleep(0)
        await pool.sweep(first=True)
        held_back.let.set()
        await making
    pool.gone(RUN)
    await nothing_stays(pool, person)
