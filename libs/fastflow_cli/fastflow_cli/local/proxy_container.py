"""The socket proxy as a container, for machines without HAProxy as a program."""

import hashlib
import os
from pathlib import Path

import httpx

from fastflow_cli.errors import MissingError
from fastflow_cli.home import Home
from fastflow_cli.local.engine import Engine, client, has_image

PROXY_IMAGE = "tecnativa/docker-socket-proxy:v0.4.2"
TEMPLATE = "/usr/local/etc/haproxy/haproxy.cfg.template"
FOLDER = Path("/run/fastflow")
"""Where the container sees the folder it listens in."""


def has_proxy_image(engine: Engine) -> bool:
    """True when the engine holds the proxy's image."""
    return has_image(engine, PROXY_IMAGE)


def container_name(home: Home) -> str:
    """One name per home, so that a container left behind by a killed start is found again."""
    return f"fastflow-proxy-{hashlib.sha256(str(home.path).encode()).hexdigest()[:12]}"


def container(engine: Engine, config: Path, listen: Path) -> dict[str, object]:
    """What the engine is asked for: the engine's socket, the policy, the folder to listen in, and no network."""
    assert engine.address.socket is not None
    return {
        "Image": PROXY_IMAGE,
        "Labels": {"fastflow.proxy": "1"},
        # The socket it makes is then ours, and the engine's opens to whom it opens here.
        "User": f"{os.getuid()}:{os.getgid()}",
        "HostConfig": {
            "Binds": [
                f"{engine.address.socket}:/var/run/docker.sock",
                f"{config}:{TEMPLATE}:ro",
                f"{listen.parent}:{FOLDER}",
            ],
            "GroupAdd": [str(engine.address.socket.stat().st_gid)],
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": ""},
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "RestartPolicy": {"Name": "on-failure"},
        },
    }


def run_container(engine: Engine, home: Home, config: Path, listen: Path) -> None:
    """Start the proxy; one that was left behind is replaced.

    Raises:
        MissingError: the engine refused.
    """
    end_container(engine, home)
    with client(engine.address) as http:
        name = container_name(home)
        answer = http.post("/containers/create", params={"name": name}, json=container(engine, config, listen))
        if answer.status_code == httpx.codes.CREATED:
            answer = http.post(f"/containers/{name}/start")
        if answer.is_error:
            raise MissingError(f"the engine did not start the socket proxy: {answer.text.strip()}")


def end_container(engine: Engine, home: Home) -> None:
    """Remove the proxy's container; nothing to do when it is gone."""
    with client(engine.address) as http:
        http.delete(f"/containers/{container_name(home)}", params={"force": "true", "v": "true"}, timeout=30.0)
