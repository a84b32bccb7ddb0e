"""kill -9 of each service during a run: the run still ends right, started once, no line lost or doubled."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from fastflow_cli.testing.product import Product
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.e2e, pytest.mark.timeout(300)]

OUT = ["begin", *(str(n) for n in range(1, 41)), "end, without a newline"]
ERR = [f"e {n}" for n in range(1, 41)]


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_a_run_survives_the_death_of_every_service(
    open_product: Callable[[str], AbstractAsyncContextManager[Product]], executor: str
) -> None:
    async with open_product(executor) as product:
        for service in ("scheduler", "git_sync", "gateway", "runner"):
            run_id = await product.trigger("steady")

            async def begun(id: str = run_id) -> bool:
                return len(await product.lines(id)) >= 5

            await eventually(begun, within_s=60)
            product.kill(service)
            run = await product.ended(run_id)
            assert (run["status"], run["exit_code"], run["attempt"]) == ("succeeded", 0, 1), (service, run)
            lines = await product.lines(run_id)
            assert [text for stream, text in lines if stream == "stdout"] == OUT, service
            assert [text for stream, text in lines if stream == "stderr"] == ERR, service
            facts = await product.facts(run_id)
            for once in ("requested", "dispatched", "claimed", "started", "attempt_finished", "finished"):
                assert facts.count(f"run.{once}.v1") == 1, (service, facts)
            assert any(service in found for found in product.announced)


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_a_run_survives_services_that_die_before_it_starts(
    open_product: Callable[[str], AbstractAsyncContextManager[Product]], executor: str
) -> None:
    async with open_product(executor) as product:
        for service in ("scheduler", "runner"):
            product.kill(service)
            run_ids = [await product.trigger("hello") for _ in range(3)]
            for run_id in run_ids:
                run = await product.ended(run_id)
                assert run["status"] == "succeeded", run
                assert await product.lines(run_id) == [("stdout", "Hello, world!")]


async def test_a_run_survives_the_death_of_nats(
    open_product: Callable[[str], AbstractAsyncContextManager[Product]],
) -> None:
    async with open_product("process") as product:
        run_id = await product.trigger("steady")

        async def begun() -> bool:
            return len(await product.lines(run_id)) >= 5

        await eventually(begun, within_s=60)
        product.kill("nats")
        run = await product.ended(run_id)
        assert (run["status"], run["attempt"]) == ("succeeded", 1)
        lines = await product.lines(run_id)
        assert [text for stream, text in lines if stream == "stdout"] == OUT
        assert [text for stream, text in lines if stream == "stderr"] == ERR
