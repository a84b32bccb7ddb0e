"""Which Docker engine there is; asked over its HTTP API, read-only but for the network that runs sit on.

The order is everywhere the same: `DOCKER_HOST`, the machine's own socket, the one of `make docker`.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from msgspec import Struct

from fastflow_cli.errors import MissingError
from fastflow_cli.local.services import DOCKER_NETWORK

OWN_RUN = "/run/fastflow-engine"
ANSWER_WITHIN_S = 5.0


class Address(NamedTuple):
    """Where an engine may be."""

    url: str
    """As in DOCKER_HOST: `unix:///…` or `tcp://…`."""

    @property
    def socket(self) -> Path | None:
        """The socket's path; None for an engine behind TCP."""
        return Path(self.url.removeprefix("unix://")) if self.url.startswith("unix://") else None


class Engine(Struct, frozen=True):
    """An engine that answers."""

    address: Address
    version: str
    api: str


def candidates(env: Mapping[str, str]) -> list[Address]:
    """Where to look, in order; a named engine is the only candidate."""
    if env.get("DOCKER_HOST"):
        return [Address(env["DOCKER_HOST"])]
    own = env.get("FASTFLOW_ENGINE_RUN") or OWN_RUN
    return [Address("unix:///var/run/docker.sock"), Address(f"unix://{own}/docker.sock")]


def client(address: Address) -> httpx.Client:
    """An HTTP client for the engine's API.

    Raises:
        MissingError: the address is neither a socket nor plain TCP.
    """
    if address.socket is not None:
        transport = httpx.HTTPTransport(uds=str(address.socket))
        return httpx.Client(transport=transport, base_url="http://docker", timeout=ANSWER_WITHIN_S)
    if address.url.startswith(("tcp://", "http://")):
        host = address.url.split("://", 1)[1]
        return httpx.Client(base_url=f"http://{host}", timeout=ANSWER_WITHIN_S, trust_env=False)
    raise MissingError(f"DOCKER_HOST={address.url} is neither unix:// nor tcp://", fix="unset DOCKER_HOST")


def ask(address: Address) -> Engine | str:
    """The engine at an address, or the sentence that says why there is none."""
    socket = address.socket
    if socket is not None and not socket.exists():
        return f"{socket} does not exist"
    try:
        with client(address) as http:
            answer = http.get("/version")
            answer.raise_for_status()
            about = answer.json()
            return Engine(address, str(about["Version"]), str(about["ApiVersion"]))
    except MissingError as exc:
        return str(exc)
    except (httpx.HTTPError, OSError, ValueError, KeyError) as exc:
        return f"{address.url} does not answer: {exc or type(exc).__name__}"


def find_engine(env: Mapping[str, str]) -> Engine | str:
    """The first engine that answers, or one sentence about all that do not."""
    reasons = []
    for address in candidates(env):
        answer = ask(address)
        if isinstance(answer, Engine):
            return answer
        reasons.append(answer)
    return "; ".join(reasons)


def has_image(engine: Engine, image: str) -> bool:
    """True when the engine holds the image."""
    try:
        with client(engine.address) as http:
            return http.get(f"/images/{image}/json").status_code == httpx.codes.OK
    except (httpx.HTTPError, OSError):
        return False


def ensure_network(engine: Engine, name: str = DOCKER_NETWORK) -> None:
    """Make the bridge that runs sit on: no traffic between containers. Safe to repeat.

    Raises:
        MissingError: the engine refused.
    """
    body = {
        "Name": name,
        "Driver": "bridge",
        "CheckDuplicate": True,
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
        # Compose takes the usual network with these labels for its own, so that both can use one engine.
        "Labels": {"com.docker.compose.network": "runs", "com.docker.compose.project": "fastflow"},
    }
    with client(engine.address) as http:
        if http.get(f"/networks/{name}").status_code == httpx.codes.OK:
            return
        answer = http.post("/networks/create", json=body)
        if answer.status_code not in (httpx.codes.CREATED, httpx.codes.CONFLICT):
            raise MissingError(f"the engine made no network {name}: {answer.text.strip()}")


@contextmanager
def used(engine: Engine) -> Iterator[None]:
    """Keep `make pristine` away from the engine of `make docker` while the block runs; other engines know no such lock.

    Raises:
        MissingError: it is just being removed.
    """
    socket = engine.address.socket
    lock = socket.with_name("in-use") if socket is not None else None
    if lock is None or not lock.exists():
        yield
        return
    descriptor = os.open(lock, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise MissingError(f"the engine at {engine.address.url} is just being removed", fix="make docker") from exc
        yield
    finally:
        os.close(descriptor)
