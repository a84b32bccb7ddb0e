"""A private HAProxy with the shipped policy, in front of a real engine or of anything else on a unix socket."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError

from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.policy import render

_START_S = 30.0
_FORGET_WITHIN_S = 30.0
_SOCKETS = ("/var/run/docker.sock", "/run/fastflow-engine/docker.sock")


def engine_socket() -> str | None:
    """Path of the engine's socket: DOCKER_HOST's, the machine's own, `make docker`'s, or None."""
    named = os.environ.get("DOCKER_HOST", "")
    if named:
        return named.removeprefix("unix://") if named.startswith("unix://") else None
    for path in _SOCKETS:
        with socket.socket(socket.AF_UNIX) as tried:
            if tried.connect_ex(path) == 0:
                return path
    return None


def find_haproxy() -> str:
    """Path of HAProxy, which Debian keeps where only root's search path looks."""
    binary = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise FileNotFoundError("haproxy is nowhere; type: scripts/apt-install haproxy")
    return binary


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def socket_proxy(
    folder: Path,
    *,
    engine: str,
    deployment: Deployment,
    version: str = "1.41",
    port: int = 0,
    cut_after: str = "",
    hole: str = "",
) -> Iterator[str]:
    """Address of a running proxy, such as `tcp://127.0.0.1:40123`; its log is `folder/haproxy.log`.

    `cut_after` replaces what the policy says of how long either side may be silent, in HAProxy's words: `3s`.
    `hole` is a condition under which everything is let through, in the same words: `{ path /info }`.
    """
    binary = find_haproxy()
    port = port or free_port()
    configuration = folder / "haproxy.cfg"
    policy = render(version, deployment=deployment, bind=f"127.0.0.1:{port}", socket=engine)
    for side in ("client", "server", "tunnel") if cut_after else ():
        assert f"    timeout {side} " in policy
        policy = re.sub(rf"(?m)^    timeout {side} .*$", f"    timeout {side} {cut_after}", policy)
    if hole:
        end = "    http-request deny status 403\n"
        assert policy.count(end) == 1
        policy = policy.replace(end, f"    http-request allow if {hole}\n{end}")
    configuration.write_text(policy)
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen([binary, "-db", "-f", str(configuration)], stdout=log, stderr=log)
    try:
        give_up = time.monotonic() + _START_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError((folder / "haproxy.log").read_text())
            time.sleep(0.01)
        yield f"tcp://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def forget_tools(engine: str, owner: str, volume: str) -> None:
    """Remove what an executor with this owner and volume left on the engine; past the proxy, which knows no volumes.

    Raises:
        APIError: something cannot be removed, though half a minute was spent on it.
    """
    client, give_up = DockerClient(base_url=f"unix://{engine}"), time.monotonic() + _FORGET_WITHIN_S
    try:
        while True:
            try:
                _remove(client, owner, volume)
            except APIError:  # somebody else is just removing it, or has just begun to
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.2)
            else:
                return
    finally:
        client.close()


def _remove(client: DockerClient, owner: str, volume: str) -> None:
    for label in (f"fastflow.tool={owner}", f"fastflow.runner={owner}"):
        for container in client.containers.list(all=True, filters={"label": label}, ignore_removed=True):
            container.remove(force=True, v=True)
    for found in client.volumes.list(filters={"name": volume}):
        if found.name == volume:
            found.remove(force=True)
