"""The four services as child processes: what each is told, and nothing more."""

import sys
from collections.abc import Mapping
from pathlib import Path

from fastflow_events.errors import SettingsError
from fastflow_events.nats.accounts import DEFAULT_RUNNER
from fastflow_events.nats.keys import seed_path
from fastflow_events.service.installation import FILE_NAME, id_of
from fastflow_events.service.settings import ALIASES
from msgspec import Struct

from fastflow_cli.home import Home

SERVICES = ("scheduler", "git_sync", "runner", "gateway")
"""In the order in which they are started."""
SECRET_KEEPING = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT")
"""Ways to the engine itself; no child gets one."""
RUNNERS_ALONE = ("FASTFLOW_ENCRYPTION_KEY", "FASTFLOW_ENCRYPTION_KEY_FILE", ALIASES["FASTFLOW_ENCRYPTION_KEY"])
"""What opens sealed values; only the runner gets it."""
WORKER_IMAGE, DOCKER_NETWORK = "fastflow-worker:latest", "fastflow-runs"
"""What the runner takes unless its settings name others."""


class Setup(Struct, frozen=True, kw_only=True):
    """What an installation has decided, as the services need it."""

    home: Home
    installation: str
    """Id with which the names of its containers begin."""
    nats_url: str
    git_url: str
    branch: str | None
    host: str
    port: int
    insecure: bool
    executor: str
    docker_url: str | None
    health_ports: Mapping[str, int]

    def own(self, service: str) -> dict[str, str]:
        """The variables of one service."""
        user = DEFAULT_RUNNER if service == "runner" else service
        variables = {
            "FASTFLOW_NATS_URL": self.nats_url,
            "FASTFLOW_NATS_SEED_FILE": str(seed_path(self.home.keys, user)),
            "FASTFLOW_HOME": str(self.home.path),
            "FASTFLOW_INSTANCE": DEFAULT_RUNNER if service == "runner" else f"{service}-1",
        }
        if service != "gateway":
            variables |= {"FASTFLOW_HEALTH_PORT": str(self.health_ports[service])}
        match service:
            case "gateway":
                more = {"FASTFLOW_HOST": self.host, "FASTFLOW_PORT": str(self.port)}
                return variables | more | ({"FASTFLOW_INSECURE": "1"} if self.insecure else {})
            case "git_sync":
                more = {"FASTFLOW_GIT_BRANCH": self.branch} if self.branch else {}
                return variables | {"FASTFLOW_GIT_URL": self.git_url} | more
            case "runner":
                more = {"FASTFLOW_DOCKER_URL": self.docker_url} if self.docker_url else {}
                own = {"FASTFLOW_EXECUTOR": self.executor, "FASTFLOW_INSTALLATION": self.installation}
                return variables | own | more
            case _:
                return variables


def setting(env: Mapping[str, str], name: str) -> str | None:
    """The value of `name` or of its older name; an empty text counts as not set.

    Raises:
        SettingsError: both are set and differ.
    """
    ours, older = env.get(name) or None, env.get(ALIASES.get(name, "")) or None
    if ours and older and ours != older:
        raise SettingsError(f"{name} and its older name {ALIASES[name]} are both set and differ; remove one")
    return ours or older


def installation_id(home: Home, env: Mapping[str, str]) -> str:
    """The id that the environment names, for a socket proxy of somebody else; else the home's own, made once."""
    return setting(env, "FASTFLOW_INSTALLATION") or id_of(home.keys)


def known_id(home: Home, env: Mapping[str, str]) -> str | None:
    """The same where it is known; nothing is made."""
    there = (home.keys / FILE_NAME).exists()
    return installation_id(home, env) if there else setting(env, "FASTFLOW_INSTALLATION")


def environment(base: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours without the ways to the engine and the keys of others, then its own.

    The older name of a variable that is set here goes away, so that the two cannot contradict each other.
    """
    replaced = {ALIASES[name] for name in own if name in ALIASES}
    withheld = {*SECRET_KEEPING, *replaced, *(() if "FASTFLOW_EXECUTOR" in own else RUNNERS_ALONE)}
    kept = {k: v for k, v in base.items() if k not in withheld}
    return {**kept, "PATH": search_path(base), "PYTHONUNBUFFERED": "1", **own}


def search_path(base: Mapping[str, str]) -> str:
    """PATH with the programs of this installation behind everything else: uv, nats-server."""
    prefix = Path(sys.prefix)
    known = [base.get("PATH", "/usr/local/bin:/usr/bin:/bin"), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    return ":".join([*known, str(prefix / "bin"), str(prefix.parent / ".tools" / "bin")])


def command(service: str) -> list[str]:
    """The command line of a service."""
    return [sys.executable, "-m", f"fastflow_{service}"]
