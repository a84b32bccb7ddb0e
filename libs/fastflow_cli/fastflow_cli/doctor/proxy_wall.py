"""Whether the socket proxy refuses what no runner needs: each request is made as the runner would make its own.

Those that matter most are made with every version that an engine may know, too.

A refusal proves nothing where nothing is let through, so first the runner's own question has to come back answered.
Every request is one that the engine refuses in its turn: what a hole lets through makes, changes and removes nothing.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus

import httpx
from msgspec import Struct

from fastflow_cli.doctor.finding import Finding, missing, ok, warning
from fastflow_cli.local.engine import Address, client

PREFIXES = ("", *(f"/v1.{minor}" for minor in range(12, 64)))
"""An engine takes a request without a version, too, and every version from its oldest to its own."""
_NOBODY = "there-is-none"
_RUN = "fastflow-00000000-00000000-0000-0000-0000-000000000000-1"


class Trial(Struct, frozen=True, kw_only=True):
    """A request that no runner makes."""

    what: str
    """What somebody could do who may make it."""
    method: str = "GET"
    target: str
    """Without the version in front."""
    body: bytes = b""
    everywhere: bool = False
    """It is made with every version in front, and not only as the runner speaks and without one."""


def _create(**host: object) -> bytes:
    # No engine knows this restart policy, so none makes the container.
    config = {"Image": "fastflow-worker:latest", "HostConfig": {**host, "RestartPolicy": {"Name": _NOBODY}}}
    return json.dumps(config, separators=(",", ":"), sort_keys=True).encode()


TRIALS = (
    Trial(what="list everybody's containers", target="/containers/json?all=1", everywhere=True),
    Trial(what="list everybody's containers", target="/containers/json"),
    Trial(what="look at anybody's container", target=f"/containers/{_NOBODY}/json"),
    Trial(what="read anybody's output", target=f"/containers/{_NOBODY}/logs?follow=0&stderr=1&stdout=1&timestamps=1"),
    Trial(what="take files out of any container", target=f"/containers/{_NOBODY}/archive?path=/etc/shadow"),
    Trial(what="put files into any container", method="PUT", target=f"/containers/{_NOBODY}/archive?path=/"),
    Trial(what="speak to any container", method="POST", target=f"/containers/{_NOBODY}/attach?stdin=1&stream=1"),
    Trial(what="execute in any container", method="POST", target=f"/containers/{_NOBODY}/exec", body=b'{"Cmd":[]}'),
    Trial(what="start any container", method="POST", target=f"/containers/{_NOBODY}/start"),
    Trial(what="end any container", method="POST", target=f"/containers/{_NOBODY}/kill?signal=SIGKILL"),
    Trial(what="remove any container", method="DELETE", target=f"/containers/{_NOBODY}?v=1"),
    Trial(what="make a container without a name", method="POST", target="/containers/create"),
    Trial(
        what="make a container that is the machine's root",
        method="POST",
        target=f"/containers/create?name={_RUN}",
        body=_create(Privileged=True),
        everywhere=True,
    ),
    Trial(
        what="make a container with the machine's files",
        method="POST",
        target=f"/containers/create?name={_RUN}",
        body=_create(Binds=["/:/host"]),
    ),
    Trial(what="build an image", method="POST", target="/build"),
    Trial(what="list images", target="/images/json"),
    Trial(what="remove an image", method="DELETE", target=f"/images/{_NOBODY}"),
    Trial(what="make an image of a container", method="POST", target=f"/commit?container={_NOBODY}"),
    Trial(what="list volumes", target="/volumes", everywhere=True),
    Trial(what="delete a volume", method="DELETE", target=f"/volumes/{_NOBODY}"),
    Trial(what="list networks", target="/networks", everywhere=True),
    Trial(what="make a network", method="POST", target="/networks/create"),
    Trial(what="read the cluster's secrets", target="/secrets"),
    Trial(what="list plugins", target="/plugins"),
)


def refuses(address: Address, *, prefixes: Sequence[str] = PREFIXES, within_s: float = 5.0) -> Finding:
    """What the proxy at an address does with all of them."""
    try:
        with client(address) as http:
            http.timeout = httpx.Timeout(within_s)
            spoken = [prefix for prefix in prefixes if http.get(f"{prefix}/_ping").status_code == HTTPStatus.OK]
            if not spoken:
                return warning("socket proxy", f"{address.url} lets nothing through to an engine, so nothing was tried")
            tried = [(prefix, trial) for prefix in prefixes for trial in TRIALS if _is_tried(trial, prefix, spoken)]
            passed = list(dict.fromkeys(trial.what for prefix, trial in tried if _passes(http, prefix, trial)))
    except httpx.HTTPError as exc:
        return warning("socket proxy", f"{address.url} does not answer: {exc or type(exc).__name__}", "fastflow status")
    if passed:
        return missing("socket proxy", f"the runner could {', '.join(passed)}", "fastflow down && fastflow up")
    versions = ", ".join(prefix.removeprefix("/v") for prefix in spoken)
    return ok(
        "socket proxy", f"{address.url}: speaks {versions}; {len(tried)} requests that no runner needs were refused"
    )


def _is_tried(trial: Trial, prefix: str, spoken: Sequence[str]) -> bool:
    return trial.everywhere or not prefix or prefix in spoken


def _passes(http: httpx.Client, prefix: str, trial: Trial) -> bool:
    kind = {"Content-Type": "application/json"} if trial.body else {}
    # What streams is not read to its end.
    with http.stream(trial.method, f"{prefix}{trial.target}", content=trial.body, headers=kind) as answer:
        return not is_refusal(answer.status_code, answer.headers.get("Content-Type", ""))


def is_refusal(status: int, content_type: str) -> bool:
    """True for the proxy's own word, which is a page: an engine refuses in JSON. Pure."""
    return status == HTTPStatus.FORBIDDEN and "json" not in content_type
