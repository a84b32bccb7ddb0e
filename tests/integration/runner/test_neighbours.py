"""Two installations on one engine, each attacking the other with everything that its runner can say."""

import http.client
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from docker.models.containers import Container as Seen
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.names import TOOLS
from fastflow_runner.core.template import fill
from fastflow_runner.testing.neighbours import SHARED, Said, everything, mixtures
from fastflow_runner.testing.socket_proxy import forget_tools, socket_proxy
from fastflow_runner.testing.standby import kept, waits

pytestmark = pytest.mark.docker
VERSION = "1.41"
RUNNER = f"neighbour-{os.getpid()}"
"""Both have a runner of this name: nothing but the installation tells them apart."""
ENDS_THEM = ("stop", "kill", "rename", "remove")


class Installation:
    """One of the two, with a container of every kind."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.id = secrets.token_hex(4)
        self.deployment = Deployment(installation=self.id, network="bridge")
        names = self.deployment.names
        run_id, number = "0192f0c1-7b1e-7c3a-9d2e-0123456789ab", secrets.token_hex(16)
        runs = [f"{names.prefix}{run_id}-{attempt}" for attempt in (1, 2, 3)]
        net = fill(names.net, {"owner": RUNNER, "place": "0f1e2d3c"})
        standby = fill(names.standby, {"owner": RUNNER, "serial": "4e5f6071"})
        tools = {mode: f"{names.prefix}{mode}-{number}" for mode in TOOLS}
        self.containers = [net, standby, *runs, *tools.values()]
        self.values: dict[str, list[str]] = {
            "name": self.containers, "run": runs, "owner": [RUNNER], "place": ["0f1e2d3c"], "serial": ["4e5f6071"],
            "names": ["1"], "opened": [""], "closed": [""], "listed": [""],
            "cache": [f"{names.prefix}jit-{number}"], "memory": ["268435456"], "cpus": ["1000000000"], "pids": ["64"],
            "source": [tools["build"], tools["fetch"]],
            "grace": ["1"], "follow": ["0"], **{mode: [name] for mode, name in tools.items()},
        }  # fmt: skip
        self.folder = folder
        folder.mkdir()
        self.running = socket_proxy(folder, engine=engine, deployment=self.deployment)
        self.url = self.running.__enter__()

    def close(self) -> None:
        self.running.__exit__(None, None, None)

    def said(self) -> list[Said]:
        """What its own runner can say, and ends its containers last."""
        return sorted(everything(VERSION, self.deployment, self.values), key=lambda said: said.call in ENDS_THEM)

    def ask(self, said: Said) -> int:
        """Status of its proxy's answer; what follows is not waited for."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self.url.rpartition(":")[2]), timeout=60)
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"} if said.upgrade else {}
        headers |= {"Content-Type": "application/json"} if said.body else {}
        try:
            connection.request(said.method, said.target, said.body.encode() or None, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def make_everything(self) -> None:
        """One container of every kind that its runner can make, and a namespace that others are in."""
        # The other way round those that have a volume of their own get a name before all names are taken.
        made = [self.ask(said) for said in reversed(self.said()) if said.call == "create"]
        assert set(made) <= {201, 409}
        net = Said(call="start", method="POST", target=f"/v{VERSION}/containers/{self.containers[0]}/start")
        assert self.ask(net) == 204


def state_of(person: DockerClient, installation: Installation) -> dict[str, tuple[object, ...]]:
    """What a person sees of an installation: its containers, what they have lived through, and its volumes."""
    label = f"fastflow.installation={installation.id}"
    found: list[Seen] = person.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    seen = {
        str(one.name): (one.id, one.attrs["State"], one.attrs["HostConfig"]["Memory"], one.attrs["LogPath"])
        for one in found
    }
    volumes = person.volumes.list(filters={"name": installation.deployment.names.prefix})
    return {**seen, **{str(volume.name): (volume.attrs["CreatedAt"],) for volume in volumes}}


@pytest.fixture
def both(engine: str, tmp_path: Path) -> Iterator[tuple[Installation, Installation]]:
    """Two installations with everything that they may have."""
    opened = [Installation(tmp_path / name, engine) for name in ("a", "b")]
    try:
        for installation in opened:
            installation.make_everything()
        yield opened[0], opened[1]
    finally:
        for installation in opened:
            installation.close()
            forget_tools(engine, RUNNER, installation.deployment.volume)
            forget_tools(engine, RUNNER, installation.values["cache"][0])


def test_nothing_that_an_installation_can_say_reaches_another(
    both: tuple[Installation, Installation], person: DockerClient
) -> None:
    for attacker, victim in (both, both[::-1]):
        before = state_of(person, victim)
        assert len(before) >= len(victim.containers) + 2
        tried = 0
        for said in victim.said():
            if said.call in SHARED:
                assert said in attacker.said()
                continue
            assert attacker.ask(said) == 403, said
            tried += 1
        for said in attacker.said():
            for text in mixtures(f"{said.target}|{said.body}", attacker.id, victim.id):
                target, _, body = text.partition("|")
                mixed = Said(call=said.call, method=said.method, target=target, body=body, upgrade=said.upgrade)
                assert attacker.ask(mixed) == 403, mixed
                tried += 1
        assert tried > 200
        assert state_of(person, victim) == before


def test_each_of_these_requests_is_one_that_its_own_installation_may_make(
    both: tuple[Installation, Installation], person: DockerClient
) -> None:
    mine, other = both
    before = state_of(person, other)
    for said in mine.said():
        assert mine.ask(said) != 403, said
    assert not set(mine.containers) & set(state_of(person, mine))
    assert state_of(person, other) == before


def test_ids_of_the_engine_lead_to_nobodys_container(
    both: tuple[Installation, Installation], person: DockerClient
) -> None:
    for attacker, victim in (both, both[::-1]):
        before = state_of(person, victim)
        for name in victim.containers:
            if name not in before:
                continue
            for known in (str(before[name][0]), str(before[name][0])[:12]):
                for said in attacker.said():
                    for own in attacker.containers:
                        text = f"{said.target}|{said.body}"
                        if own in text:
                            target, _, body = text.replace(own, known).partition("|")
                            changed = Said(call=said.call, method=said.method, target=target, body=body)
                            assert attacker.ask(changed) == 403, changed
        assert state_of(person, victim) == before


async def test_what_bears_our_label_but_no_name_of_ours_is_not_taken_for_ours(
    engine: str, tmp_path: Path, person: DockerClient
) -> None:
    deployment = Deployment(installation=secrets.token_hex(4), network="bridge")
    other = Deployment(installation=secrets.token_hex(4), network="bridge")
    labels = {"fastflow.installation": deployment.installation, "fastflow.runner": RUNNER}
    run = "0192f0c1-7b1e-7c3a-9d2e-0123456789ab-1"
    names = [
        f"{other.names.prefix}standby-{RUNNER}-4e5f6071",
        f"{other.names.prefix}net-{RUNNER}-0f1e2d3c",
        f"fastflow-{run}",
    ]
    strangers = [person.containers.create(deployment.image, name=name, labels=labels) for name in names]
    try:
        with socket_proxy(tmp_path, engine=engine, deployment=deployment) as url:
            async with kept(url, owner=RUNNER, deployment=deployment) as executor:
                await waits(executor)
                assert await executor.found() == []
            for stranger in strangers:
                stranger.reload()
            assert [stranger.status for stranger in strangers] == ["created"] * len(strangers)
    finally:
        for stranger in strangers:
            stranger.remove(force=True, v=True)
        forget_tools(engine, RUNNER, deployment.volume)
