"""The socket proxy: HAProxy with the runner's policy in front of the engine's socket, on a socket of its own.

Only the runner is told which. The policy is written by the runner's own module, in a process of its own, so that
requests and policy cannot drift apart.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import Struct

from fastflow_cli.errors import CliError, MissingError
from fastflow_cli.home import Home
from fastflow_cli.local.engine import Engine
from fastflow_cli.local.logs import last_words
from fastflow_cli.local.proxy_container import FOLDER, PROXY_IMAGE, end_container, has_proxy_image, run_container
from fastflow_cli.local.proxy_socket import MODE, forget_socket, proxy_socket
from fastflow_cli.local.services import DOCKER_NETWORK, WORKER_IMAGE, installation_id, search_path, setting
from fastflow_cli.local.spawn import spawn
from fastflow_cli.local.supervisor import Supervisor

NAME = "proxy"
ANSWERS_WITHIN_S = 10.0
VERSION = re.compile(r"^# Version ([\d.]+) of", re.MULTILINE)
"""How a policy says which version of the engine's API it is for."""


class Allowed(Struct, frozen=True, kw_only=True):
    """What containers may be made of, as the runner's settings say; empty is what the runner takes by itself."""

    image: str = WORKER_IMAGE
    network: str = DOCKER_NETWORK
    volume: str = ""
    uid: str = ""


USUAL = Allowed()


class Proxy(Struct, frozen=True, kw_only=True):
    """How the proxy will run."""

    engine: Engine
    binary: str | None
    """HAProxy as a program; None for HAProxy as a container."""
    env: Mapping[str, str]
    allowed: Allowed = USUAL

    async def start(self, supervisor: Supervisor, home: Home) -> str:
        """Start it and return the URL for the runner once it answers.

        Raises:
            CliError: it does not answer.
            MissingError: the runner's policy cannot be written.
        """
        listen = proxy_socket(home)
        config = home.path / "runner" / "haproxy.cfg"
        log = home.log_of(NAME)
        write = partial(policy, self.engine, self.allowed, installation_id(home, self.env))
        if self.binary is not None:
            config.write_text(write(bind=bind(listen)))
            argv = [self.binary, "-db", "-f", str(config)]
            supervisor.start(NAME, lambda: spawn(argv, self.env, log))
        else:
            config.write_text(write(bind=bind(FOLDER / listen.name), socket="/var/run/docker.sock"))
            run_container(self.engine, home, config, listen)
        await until_answers(listen, log)
        return f"unix://{listen}"

    def stop(self, home: Home) -> None:
        """Remove the container and the socket; the program is the supervisor's."""
        if self.binary is None:
            end_container(self.engine, home)
        forget_socket(home)


def allowed_by(env: Mapping[str, str]) -> Allowed:
    """What the environment names, the usual where it names nothing.

    Raises:
        SettingsError: a name and its older one are both set and differ.
    """
    return Allowed(
        image=setting(env, "FASTFLOW_WORKER_IMAGE") or USUAL.image,
        network=setting(env, "FASTFLOW_DOCKER_NETWORK") or USUAL.network,
        volume=setting(env, "FASTFLOW_DOCKER_VOLUME") or USUAL.volume,
        uid=setting(env, "FASTFLOW_RUN_UID") or USUAL.uid,
    )


def find_proxy(engine: Engine, env: Mapping[str, str], *, allowed: Allowed = USUAL) -> Proxy | str:
    """HAProxy as a program, else as a container, else the sentence that says why neither."""
    if engine.address.socket is None:
        return "the engine is behind TCP; set FASTFLOW_DOCKER_URL to a socket proxy beside it"
    binary = shutil.which("haproxy", path=search_path(env))
    if binary is None and not has_proxy_image(engine):
        return f"HAProxy is neither a program here nor the image {PROXY_IMAGE} on the engine"
    return Proxy(engine=engine, binary=binary, env=env, allowed=allowed)


def bind(listen: Path) -> str:
    """Where it listens, in HAProxy's words."""
    return f"unix@{listen} mode {MODE:o}"


def policy(engine: Engine, allowed: Allowed, installation: str, *, bind: str, socket: str = "") -> str:
    """HAProxy's configuration as the runner's module writes it.

    It listens at `bind` and talks to the engine's socket, or to `socket` where the engine's is seen elsewhere.

    Raises:
        MissingError: the module refused, or the engine is older than all of its policies.
    """
    argv = [sys.executable, "-m", "fastflow_runner.core.policy", "--api", engine.api]
    argv += ["--installation", installation, "--image", allowed.image, "--network", allowed.network]
    argv += ["--volume", allowed.volume] if allowed.volume else []
    argv += ["--uid", allowed.uid] if allowed.uid else []
    argv += ["--bind", bind, "--socket", socket or str(engine.address.socket)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MissingError(f"the policy of the socket proxy cannot be written: {done.stderr.strip()[-500:]}")
    version = VERSION.search(done.stdout)
    if version is None or number(version[1]) > number(engine.api):
        needed = version[1] if version else "another version"
        raise MissingError(f"the engine speaks API {engine.api}, and the runner needs {needed}")
    return done.stdout


def number(version: str) -> tuple[int, ...]:
    """A version that sorts: `1.9` before `1.41`."""
    return tuple(int(part) for part in version.split("."))


async def until_answers(listen: Path, log: Path) -> None:
    """Return once somebody accepts connections on a socket.

    Raises:
        CliError: nobody does in time.
    """
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            _, writer = await asyncio.open_unix_connection(listen)
            writer.close()
            return
        await asyncio.sleep(0.02)
    raise CliError(f"the socket proxy does not answer: {last_words(log)}", fix=f"tail -n 50 {log}")
