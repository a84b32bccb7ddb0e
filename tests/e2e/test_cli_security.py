"""`fastflow doctor --security` on an installation as it is, and on one of which a wall was taken down."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from docker import DockerClient
from docker.models.containers import Container
from fastflow_cli.doctor.security import examine
from fastflow_cli.home import Home
from fastflow_cli.testing.product import Product
from fastflow_events.nats.keys import seed_path
from fastflow_events.service.installation import id_of
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.docker, pytest.mark.e2e]


async def test_the_walls_of_an_installation_stand_and_one_that_is_taken_down_is_named(
    open_product: Callable[[str], AbstractAsyncContextManager[Product]], person: DockerClient
) -> None:
    async with open_product("docker") as product:
        plan = product.installation.plan
        # Standby workers, each in a closed network, are there once the runner has made them.
        await eventually(lambda: pauses(person, plan.home), within_s=60)
        found = await asyncio.to_thread(examine, plan.home, plan.env)
        assert {finding.name: finding.state for finding in found} == dict.fromkeys(
            ("files", "bus", "gateway", "executor", "socket proxy", "engine", "runs", "network"), "ok"
        ), [finding.detail for finding in found if finding.state != "ok"]
        key = seed_path(plan.home.keys, "gateway")
        key.chmod(0o644)
        [broken] = [f for f in await asyncio.to_thread(examine, plan.home, plan.env) if f.state == "missing"]
        assert str(key) in broken.detail
        assert broken.fix == f"chmod 600 {key}"
        key.chmod(0o600)
        pause = pauses(person, plan.home)[0]
        flushed = pause.exec_run(["nft", "flush", "table", "inet", "fastflow"], user="0:0")
        assert flushed.exit_code == 0
        [broken] = [f for f in await asyncio.to_thread(examine, plan.home, plan.env) if f.state == "missing"]
        assert broken.detail.startswith(f"the network that {pause.name} holds is open")


def pauses(person: DockerClient, home: Home) -> list[Container]:
    """What holds the networks of the installation's runs, once a worker is in one."""
    label: dict[str, str | list[str] | bool] = {"label": f"fastflow.installation={id_of(home.keys)}"}
    found: list[Container] = person.containers.list(filters=label, ignore_removed=True)
    waits = any("-standby-" in (one.name or "") for one in found)
    return [one for one in found if waits and "-net-" in (one.name or "")]
