"""The socket proxy: HAProxy with the runner's policy in front of the engine's socket, on a loopback port.

Only the runner is told the port. The policy is written by the runner's own module, in a process of its own, so that
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
from pathlib import Path

from msgspec import Struct

from fastflow_cli.errors import CliError, MissingError
from fastflow_cli.home import Home
from fastflow_cli.local.engine import Engine
from fastflow_cli.local.logs import last_words
from fastflow_cli.local.ports import any_free
from fastflow_cli.local.proxy_container import PROXY_IMAGE, end_container, has_proxy_image, run_container
from fastflow_cli.local.services import DOCKER_NETWORK, DOCKER_VOLUME, WORKER_IMAGE, search_path, setting
from fastflow_cli.local.spawn import spawn
from fastflow_cli.local.supervisor import Supervisor

NAME = "proxy"
ANSWERS_WITHIN_S = 10.0
VERSION = re.compile(r"^# Version ([\d.]+) of", re.MULTILINE)
"""How a policy says which version of the engine's API it is for."""


class Allowed(Struct, frozen=True, kw_only=True):
    """What containers may be made of; the runner's settings say the same."""

    image: str = WORKER_IMAGE
    network: str = DOCKER_NETWORK
    volume: str = DOCKER_VOLUME


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
        port = any_free()  # ours alone: whoever took a usual one would ask the proxy of somebody else
        config = home.path / "runner" / "haproxy.cfg"
        log = home.log_of(NAME)
        if self.binary is not None:
            config.write_text(policy(self.engine, self.allowed, bind=f"127.0.0.1:{port}"))
            argv = [self.binary, "-db", "-f", str(config)]
            supervisor.start(NAME, lambda: spawn(argv, self.env, log))
        else:
            config.write_text(policy(self.engine, self.allowed))
            run_container(self.engine, home, config, port)
        await until_answers(port, log)
        return f"tcp://127.0.0.1:{port}"

    def stop(self, home: Home) -> None:
        """Remove the container; the program is the supervisor's."""
        if self.binary is None:
            end_container(self.engine, home)


def allowed_by(env: Mapping[str, str]) -> Allowed:
    """What the environment names, the usual where it names nothing.

    Raises:
        SettingsError: a name and its older one are both set and differ.
    """
    return Allowed(
        image=setting(env, "FASTFLOW_WORKER_IMAGE") or USUAL.image,
        network=setting(env, "FASTFLOW_DOCKER_NETWORK") or USUAL.network,
        volume=setting(env, "FASTFLOW_DOCKER_VOLUME") or USUAL.volume,
    )


def find_proxy(engine: Engine, env: Mapping[str, str], *, allowed: Allowed = USUAL) -> Proxy | str:
    """HAProxy as a program, else as a container, else the sentence that says why neither."""
    if engine.address.socket is None:
        return "the engine is behind TCP; set FASTFLOW_DOCKER_URL to a socket proxy beside it"
    binary = shutil.which("haproxy", path=search_path(env))
    if binary is None and not has_proxy_image(engine):
        return f"HAProxy is neither a program here nor the image {PROXY_IMAGE} on the engine"
    return Proxy(engine=engine, binary=binary, env=env, allowed=allowed)


def policy(engine: Engine, allowed: Allowed, *, bind: str | None = None) -> str:
    """HAProxy's configuration as the runner's module writes it.

    It listens at `bind` and talks to the engine's socket; without `bind` both are left as they are shipped, because the
    entry point of the proxy's image fills in the address.

    Raises:
        MissingError: the module refused, or the engine is older than all of its policies.
    """
    argv = [sys.executable, "-m", "fastflow_runner.policy", "--api", engine.api]
    argv += ["--image", allowed.image, "--network", allowed.network, "--volume", allowed.volume]
    argv += ["--bind", bind, "--socket", str(engine.address.socket)] if bind else []
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


async def until_answers(port: int, log: Path) -> None:
    """Return once somebody accepts connections on a loopback port.

    Raises:
        CliError: nobody does in time.
    """
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.02)
    raise CliError(f"the socket proxy does not answer: {last_words(log)}", fix=f"tail -n 50 {log}")
