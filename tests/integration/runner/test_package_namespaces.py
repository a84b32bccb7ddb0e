"""The namespaces of tools have their place among those of runs: nobody takes them away, and none is left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from docker import DockerClient
from fastflow_events.testing.eventually import eventually
from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.adapters.docker.pool import Pool
from fastflow_runner.adapters.docker.tool import Tools
from fastflow_runner.core.closing import usual
from fastflow_runner.core.container_spec import tool_body
from fastflow_runner.testing.standby import DEPLOYMENT, OWNER, seen
from msgspec import structs

pytestmark = pytest.mark.docker
MINE = structs.replace(DEPLOYMENT, owner=OWNER)
CLOSING = usual("", "")
BUILD = f"{MINE.names.prefix}build-{'7' * 32}"


@pytest.fixture
async def engine_before(proxy: str) -> AsyncIterator[Engine]:
    engine = Engine(proxy, MINE)
    yield engine
    engine.close()


def a_pool(engine: Engine) -> Pool:
    return Pool(engine, MINE, owner=OWNER, usual=CLOSING, passed=lambda _: None)


async def never() -> AsyncIterator[bytes]:
    """An order that does not come."""
    await asyncio.Event().wait()
    yield b""


def building(pool: Pool, engine: Engine) -> asyncio.Task[object]:
    tools = Tools(MINE, pool, closing=CLOSING, owner=OWNER, tool_s=60.0)
    return asyncio.create_task(tools.made(Container(engine, BUILD), "build", never()))


async def runs(person: DockerClient) -> bool:
    found = await asyncio.to_thread(person.containers.list, filters={"name": BUILD})
    return [one.status for one in found] == ["running"]


def nets(person: DockerClient) -> list[str]:
    return [str(net.name) for net in seen(person, "net") if net.status == "running"]


async def broken_off(task: asyncio.Task[object]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_sweep_leaves_what_a_tool_is_in_and_removes_it_afterwards(
    engine_before: Engine, person: DockerClient
) -> None:
    pool = a_pool(engine_before)
    task = building(pool, engine_before)
    await eventually(lambda: runs(person), within_s=60)
    for _ in range(2):
        await pool.sweep(first=True)
        await pool.nets.clean()
        assert len(nets(person)) == 1
    await broken_off(task)
    await Container(engine_before, BUILD).remove()
    await pool.sweep()
    await pool.nets.clean()
    assert nets(person) == []


async def test_the_next_process_finds_a_tool_at_work_and_keeps_its_network(
    engine_before: Engine, person: DockerClient
) -> None:
    task = building(a_pool(engine_before), engine_before)
    await eventually(lambda: runs(person), within_s=60)
    after = a_pool(engine_before)
    await after.sweep(first=True)
    await after.nets.clean()
    assert (len(nets(person)), set(after.nets.held())) == (1, {BUILD})
    await after.sweep()
    assert after.nets.held() == {BUILD}
    await broken_off(task)
    await Container(engine_before, BUILD).remove()
    await after.sweep(last=True)
    await after.nets.clean()
    assert nets(person) == []


async def test_what_waits_for_its_order_in_a_network_of_nobodys_is_made_anew(
    engine_before: Engine, person: DockerClient
) -> None:
    dead = a_pool(engine_before)
    place = await dead.place(BUILD, CLOSING, new=False)
    await Container(engine_before, BUILD).create(tool_body(MINE, "build", owner=OWNER, place=place))
    dead.nets.retire(BUILD)
    await dead.nets.clean()
    pool = a_pool(engine_before)
    task = building(pool, engine_before)
    await eventually(lambda: runs(person), within_s=60)
    assert len(nets(person)) == 1
    await broken_off(task)
    await Container(engine_before, BUILD).remove()
    await pool.sweep(last=True)
    await pool.nets.clean()
    assert nets(person) == []
