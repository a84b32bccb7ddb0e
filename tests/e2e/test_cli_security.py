"""`fastflow doctor --security` on an installation as it is, and on one of which a wall was taken down."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from fastflow_cli.doctor.security import examine
from fastflow_cli.testing.product import Product
from fastflow_events.nats.keys import seed_path

pytestmark = [pytest.mark.nats, pytest.mark.docker, pytest.mark.e2e]


async def test_the_walls_of_an_installation_stand_and_one_that_is_taken_down_is_named(
    open_product: Callable[[str], AbstractAsyncContextManager[Product]],
) -> None:
    async with open_product("docker") as product:
        plan = product.installation.plan
        found = await asyncio.to_thread(examine, plan.home, plan.env)
        assert {finding.name: finding.state for finding in found} == dict.fromkeys(
            ("files", "bus", "gateway", "executor", "socket proxy", "engine", "network"), "ok"
        ), [finding.detail for finding in found if finding.state != "ok"]
        key = seed_path(plan.home.keys, "gateway")
        key.chmod(0o644)
        [broken] = [f for f in await asyncio.to_thread(examine, plan.home, plan.env) if f.state == "missing"]
        assert str(key) in broken.detail
        assert broken.fix == f"chmod 600 {key}"
