"""Who may say what about secrets and keys: the gateway sets, a runner publishes its own keys, nobody else anything."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.keyring.events import KeyPublished
from fastflow_events.aggregates.secret.events import SecretRemoved, SecretSet
from fastflow_events.errors import InfrastructureError
from fastflow_events.fact import Fact
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.nats_server import nats_server

pytestmark = pytest.mark.nats

RUNNERS = ("runner-1", "runner-2")
SET = SecretSet(version=1, sealed="s", who="ann")
PUBLISHED = KeyPublished(key_id="a", public_key="a=", runner="runner-1")


@pytest_asyncio.fixture
async def logs(tmp_path: Path) -> AsyncGenerator[dict[str, JetStreamLog]]:
    """A log per user, on a server with our accounts."""
    keys = tmp_path / "keys"
    make_keys(keys, runners=RUNNERS)
    config = f'include "../keys/{PUBLIC_FILE}"\n'
    with nats_server(tmp_path / "nats", config=config) as url:
        async with AsyncExitStack() as stack:
            found = {}
            for user in ("deployer", "gateway", "scheduler", "git_sync", "external", *RUNNERS):
                settings = Settings(nats_url=url, nats_seed_file=seed_path(keys, user))
                nc = await stack.enter_async_context(connect(settings, user))
                if user == "deployer":
                    await deploy(nc)
                found[user] = JetStreamLog(nc, source=f"/fastflow/{user}/1")
            yield found


@pytest.mark.parametrize("fact", [SET, SecretRemoved(who="ann")])
async def test_only_the_gateway_sets_and_removes_secrets(logs: dict[str, JetStreamLog], fact: Fact) -> None:
    position = Position(aggregate="secret", id="TOKEN")
    for user in ("scheduler", "git_sync", "external", *RUNNERS):
        with pytest.raises(InfrastructureError):
            await logs[user].append(position, [fact], cause=CAUSE)
    await logs["gateway"].append(position, [fact], cause=CAUSE)


async def test_only_a_runner_publishes_keys_and_in_its_own_name_only(logs: dict[str, JetStreamLog]) -> None:
    position = Position(aggregate="keyring", id="main")
    for user in ("gateway", "scheduler", "git_sync", "external", "runner-2"):
        with pytest.raises(InfrastructureError):
            await logs[user].append(position, [PUBLISHED], cause=CAUSE)
    await logs["runner-1"].append(position, [PUBLISHED], cause=CAUSE)
    for user in ("gateway", "runner-2"):
        assert (await logs[user].load("keyring", "main")).facts == (PUBLISHED,)
