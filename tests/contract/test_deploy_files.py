"""What `deploy/` ships is what the code says: who may do what on the bus and on the engine."""

from pathlib import Path

import msgspec
import pytest
from fastflow_events.nats_conf import nats_conf
from fastflow_events.settings import Settings
from fastflow_gateway.settings import GatewaySettings
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_runner.policy import shipped

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_servers_configuration_follows_from_the_accounts() -> None:
    assert (DEPLOY / "nats.conf").read_text() == nats_conf(), "type: make proto"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_proxys_policy_follows_from_what_the_runner_may_say(name: str) -> None:
    assert (DEPLOY / "socket-proxy" / name).read_text() == shipped()[name], "type: make proto"


@pytest.mark.parametrize(("service", "settings"), [("gateway", GatewaySettings), ("git_sync", GitSyncSettings)])
def test_compose_hands_on_every_setting(service: str, settings: type[Settings]) -> None:
    lines = (DEPLOY / "compose.yaml").read_text().splitlines()
    begin = lines.index(f"  {service}:")
    end = next((n for n in range(begin + 1, len(lines)) if lines[n] and not lines[n].startswith("    ")), len(lines))
    said = {line.strip().partition(":")[0] for line in lines[begin:end] if line.startswith("      FASTFLOW_")}
    shared = {field.name for field in msgspec.structs.fields(Settings)}
    own = {field.name for field in msgspec.structs.fields(settings)} - shared
    assert {name for name in own if f"FASTFLOW_{name.upper()}" not in said} <= {"address_file"}
