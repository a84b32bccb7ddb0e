"""The socket proxy: HAProxy with the runner's policy in front of the engine's socket, on a loopback port.

Only the runner is told the port. The policy is written by the runner's own module, in a process of its own, so that
requests and policy cannot drift apart.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from fastflow_cli.errors import CliError, MissingError
from fastflow_cli.home import Home
from fastflow_cli.local.engine import Engine
from fastflow_cli.local.logs import last_words
from fastflow_cli.local.ports import any_free, first_free
from fastflow_cli.local.proxy_container import PROXY_IMAGE, end_container, has_proxy_image, run_container
from fastflow_cli.local.services import search_path
from fastflow_cli.local.spawn import spawn
from fastflow_cli.local.supervisor import Supervisor

PROXY_PORT = 2375
NAME = "proxy"
ANSWERS_WITHIN_S = 10.0
BIND, SOCKET = "${BIND_CONFIG}", "unix@/var/run/docker.sock"
"""What the shipped configuration leaves open."""
VERSION = re.compile(r"^# Version ([\d.]+) of", re.MULTILINE)
"""How it says which version of the engine's API it is for."""


class Proxy(Struct, frozen=True, kw_only=True):
    """How the proxy will run."""

    engine: Engine
    binary: str | None
    """HAProxy as a program; None for HAProxy as a container."""
    env: Mapping[str, str]
    fixed_port: bool

    async def start(self, supervisor: Supervisor, home: Home) -> str:
        """Start it and return the URL for the runner once it answers.

        Raises:
            CliError: it does not answer.
            MissingError: the runner's policy cannot be written.
        """
        port = first_free(PROXY_PORT) if self.fixed_port else any_free()
        config = home.path / "runner" / "haproxy.cfg"
        log = home.log_of(NAME)
        if self.binary is not None:
            config.write_text(policy(bind=f"127.0.0.1:{port}", engine=self.engine))
            argv = [self.binary, "-db", "-f", str(config)]
            supervisor.start(NAME, lambda: spawn(argv, self.env, log))
        else:
            config.write_text(policy(bind="", engine=self.engine, inside=True))
            run_container(self.engine, home, config, port)
        await until_answers(port, log)
        return f"tcp://127.0.0.1:{port}"

    def stop(self, home: Home) -> None:
        """Remove the container; the program is the supervisor's."""
        if self.binary is None:
            end_container(self.engine, home)


def find_proxy(engine: Engine, env: Mapping[str, str], *, fixed_port: bool) -> Proxy | str:
    """HAProxy as a program, else as a container, else the sentence that says why neither."""
    if engine.address.socket is None:
        return "the engine is behind TCP; set FASTFLOW_DOCKER_URL to a socket proxy beside it"
    binary = shutil.which("haproxy", path=search_path(env))
    if binary is None and not has_proxy_image(engine):
        return f"HAProxy is neither a program here nor the image {PROXY_IMAGE} on the engine"
    return Proxy(engine=engine, binary=binary, env=env, fixed_port=fixed_port)


def policy(*, bind: str, engine: Engine, inside: bool = False) -> str:
    """HAProxy's configuration as the runner's module writes it, for our address and the engine's socket.

    `inside` leaves it as it is shipped: the entry point of the proxy's image fills in the address.

    Raises:
        MissingError: the module refused.
    """
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "fastflow_runner.policy", "--shipped", folder]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MissingError(f"the policy of the socket proxy cannot be written: {done.stderr.strip()[-500:]}")
        written = [file.read_text() for file in Path(folder).glob("*.cfg")]
    config = newest_for(engine.api, written)
    return config if inside else config.replace(BIND, bind).replace(SOCKET, f"unix@{engine.address.socket}")


def newest_for(api: str, written: Iterable[str]) -> str:
    """The configuration for the newest version of the API that the engine speaks.

    Raises:
        MissingError: the engine is older than all of them.
    """
    by_version = {match[1]: text for text in written if (match := VERSION.search(text))}
    spoken = [version for version in by_version if number(version) <= number(api)]
    if not spoken:
        raise MissingError(f"the engine speaks API {api}, and the runner needs {' or '.join(sorted(by_version))}")
    return by_version[max(spoken, key=number)]


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
