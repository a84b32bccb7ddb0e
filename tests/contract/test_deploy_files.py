"""What `deploy/` ships is what the code says: who may do what on the bus and on the engine."""

from pathlib import Path

import pytest
from fastflow_events.nats_conf import nats_conf
from fastflow_runner.policy import shipped

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_servers_configuration_follows_from_the_accounts() -> None:
    assert (DEPLOY / "nats.conf").read_text() == nats_conf(), "type: make proto"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_proxys_policy_follows_from_what_the_runner_may_say(name: str) -> None:
    assert (DEPLOY / "socket-proxy" / name).read_text() == shipped()[name], "type: make proto"
