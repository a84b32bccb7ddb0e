"""Every setting of every service can be set under `fastflow up` and in compose, or the page says what decides it."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from fastflow_cli.home import Home
from fastflow_cli.local.services import SERVICES, Setup, environment
from fastflow_events.service.settings import ALIASES, PREFIX, Settings
from fastflow_gateway.settings import GatewaySettings
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_runner.settings import RunnerSettings
from fastflow_scheduler.settings import SchedulerSettings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, type[Settings]] = {
    "gateway": GatewaySettings,
    "git_sync": GitSyncSettings,
    "scheduler": SchedulerSettings,
    "runner": RunnerSettings,
}
OF_EVERYBODY = {
    "nats_url": "the server is compose's own",
    "nats_seed_file": "a volume, made by `keys`",
    "instance": "a key is made for this name",
    "home": "a volume",
    "health_host": "nobody asks but the container itself",
    "health_port": "nobody asks but the container itself",
}
IN_COMPOSE: dict[str, dict[str, str]] = {
    "gateway": {
        "host": "it listens in its own container",
        "port": "what is published is said by `ports`",
        "insecure": "what is published is loopback",
        "address_file": "nobody else sees its files",
    },
    "git_sync": {"git_secrets_dir": "the mounted folder"},
    "scheduler": {"default_pool": "no queue is made for another one"},
    "runner": {
        "runner_id": "a key is made for `instance`",
        "pools": "no queue is made for another one",
        "executor": "containers",
        "docker_url": "the proxy beside it",
        "installation": "the file says it",
        "installation_file": "a volume, made by `keys`",
        "uv": "for processes only",
        "encryption_key": "the file is for that: whoever may inspect a container sees its variables",
    },
}
"""What compose itself decides, and why."""
FOUND = {f"{PREFIX}{name}" for name in ("HOME", "GIT_URL", "GIT_BRANCH", "EXECUTOR", "DOCKER_URL", "INSTALLATION")}
"""What `up` says itself, after it has looked for it in its environment."""


def variables(service: str) -> set[str]:
    return {PREFIX + field.name.upper() for field in msgspec.structs.fields(SETTINGS[service])}


def decided(service: str) -> set[str]:
    return {PREFIX + name.upper() for name in (*OF_EVERYBODY, *IN_COMPOSE[service])}


def told(service: str) -> dict[str, str]:
    """What the containers of a service get: compose lays the file of settings under its own words."""
    compose, settings = (
        yaml.safe_load((ROOT / "deploy" / name).read_text())["services"][service]
        for name in ("compose.yaml", "settings.yaml")
    )
    assert compose["extends"] == {"file": "settings.yaml", "service": service}
    both: dict[str, Any] = settings["environment"] | compose["environment"]
    return {name: str(value) for name, value in both.items()}


def asked(name: str, value: str) -> bool:
    return f"${{{name}:-" in value


@pytest.mark.parametrize("service", SETTINGS)
def test_compose_hands_on_every_setting_of_every_service(service: str) -> None:
    handed = {name for name, value in told(service).items() if asked(name, value)}
    assert variables(service) - handed == decided(service)


@pytest.mark.parametrize("service", SETTINGS)
def test_compose_hands_on_older_names_too_so_that_a_contradiction_is_told(service: str) -> None:
    older = {ALIASES[name] for name in variables(service) - decided(service) if name in ALIASES}
    assert {name for name, value in told(service).items() if asked(name, value)} >= older


@pytest.mark.parametrize("service", SETTINGS)
def test_compose_says_nothing_that_no_service_reads(service: str) -> None:
    known = variables(service) | {ALIASES[name] for name in variables(service) if name in ALIASES}
    assert set(told(service)) <= known


def up_decides(service: str) -> set[str]:
    """What `up` says whatever its environment does."""
    words = {"nats_url": "n", "git_url": "g", "branch": "b", "host": "h", "executor": "docker", "docker_url": "d"}
    ports = dict.fromkeys(SERVICES, 1)
    home = Home(Path("/home"))
    up = Setup(home=home, installation="0" * 8, port=1, insecure=True, health_ports=ports, **words)
    said = up.own(service)
    theirs = dict.fromkeys(variables(service), "theirs")
    heard = environment(theirs, said)
    return {name for name in theirs if heard.get(name) != "theirs"} - FOUND


@pytest.mark.parametrize("where", ["`fastflow up`", "compose"])
def test_the_page_says_which_settings_are_decided_elsewhere(where: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    table = page.split("\n## Where they are set\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines() if line[:1] == "|"]
    column = rows[0].index(where)
    said = {name for row in rows[2:] if row[column] != "–" for name in re.findall(r"FASTFLOW_[A-Z_]+", row[0])}
    decide = decided if where == "compose" else up_decides
    assert said == {name for service in SETTINGS for name in decide(service)}
