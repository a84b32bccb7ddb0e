"""What `deploy/` ships is what the code says: who may do what on the bus and on the engine."""

from pathlib import Path

from fastflow_events.nats.server_conf import nats_conf
from fastflow_runner.core.container_spec import RUN_UID

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_servers_configuration_follows_from_the_accounts() -> None:
    assert (DEPLOY / "nats.conf").read_text() == nats_conf(), "type: make proto"


def test_the_worker_image_is_made_for_the_user_that_the_runner_takes_by_itself() -> None:
    assert f"\nARG RUN_UID={RUN_UID}\n" in (DEPLOY / "worker.Dockerfile").read_text()
    assert f"${{FASTFLOW_RUN_UID:-{RUN_UID}}}" in (DEPLOY / "compose.yaml").read_text()


def test_runs_are_nobody_whom_a_machine_has() -> None:
    people, dynamic_users, overflow = range(1000, 60_000), range(61_184, 65_520), range(65_534, 65_536)
    for uid in (RUN_UID, RUN_UID + 1):
        assert not any(uid in taken for taken in (range(1000), people, dynamic_users, overflow))
        assert uid < 63_434  # the first of those that Debian has given away
        assert uid < 65_536  # engines with user namespaces of their own have no more
