"""Whether runs reach each other and the machine: what holds is asked of the kernel, in the namespaces that runs are in.

A namespace is held by a pause container, whose rules were there before anybody joined it (docs/network.md). What
prepares and builds is on the network itself, where nothing but the network's own setting keeps containers apart.
"""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

import httpx
from msgspec import Struct

from fastflow_cli.doctor.finding import Finding, missing, ok, warning

_TOOLS = frozenset({"prepare", "python", "fetch", "build", "stage"})
_WALLS = (r"hook output [^;]*; policy drop;", r"hook input [^;]*; policy drop;", r"\b169\.254\.0\.0/16\b")
_DOCS = "docs/network.md"


class Held(Struct, frozen=True, kw_only=True):
    """A container of the installation that is there."""

    name: str
    id: str
    kind: str
    """`net` for a pause container, `standby`, a tool's mode, else a run."""
    network: str
    powers: tuple[str, ...] = ()
    """Capabilities that it was given."""
    hops: tuple[str, ...] = ()
    """Where the machine is, for a pause container."""
    rules: str = ""
    """Of a pause container's namespace."""


def look(http: httpx.Client, installation: str) -> list[Held]:
    """Everything of an installation that runs.

    Raises:
        httpx.HTTPError: the engine does not answer.
    """
    prefix = f"fastflow-{installation}-"
    ours = json.dumps({"label": [f"fastflow.installation={installation}"], "status": ["running"]})
    found = []
    for listed in http.get("/containers/json", params={"filters": ours}).raise_for_status().json():
        answer = http.get(f"/containers/{listed['Id']}/json")
        if answer.status_code == HTTPStatus.NOT_FOUND:  # it has just ended
            continue
        about = answer.raise_for_status().json()
        name = str(about["Name"]).removeprefix("/")
        if name.startswith(prefix):
            found.append(_held(http, about, name, name.removeprefix(prefix).partition("-")[0]))
    return [held for held in found if held.kind != "net" or held.rules or _is_there(http, held.id)]


def _held(http: httpx.Client, about: Mapping[str, dict[str, object]], name: str, word: str) -> Held:
    host, networks = about["HostConfig"], about["NetworkSettings"].get("Networks")
    hops = [str(one.get("Gateway") or "") for one in (networks.values() if isinstance(networks, dict) else ())]
    powers = host.get("CapAdd")
    return Held(
        name=name,
        id=str(about["Id"]),
        kind=word if word in {"net", "standby", *_TOOLS} else "run",
        network=str(host.get("NetworkMode")),
        powers=("everything",) if host.get("Privileged") else tuple(powers if isinstance(powers, list) else ()),
        hops=tuple(hop for hop in hops if hop),
        rules=_rules(http, str(about["Id"])) if word == "net" else "",
    )


def _rules(http: httpx.Client, container: str) -> str:
    """What the kernel holds to in the container's namespace; empty when it does not say."""
    order = {"AttachStdout": True, "Cmd": ["nft", "list", "table", "inet", "fastflow"], "Tty": True}
    made = http.post(f"/containers/{container}/exec", json=order | {"User": "0:0"})
    if not made.is_success:
        return ""
    shown = http.post(f"/exec/{made.json()['Id']}/start", json={"Detach": False, "Tty": True})
    return shown.text if shown.is_success else ""


def _is_there(http: httpx.Client, container: str) -> bool:
    answer = http.get(f"/containers/{container}/json")
    return answer.is_success and bool(answer.json()["State"]["Running"])


def closed(found: Iterable[Held]) -> Finding:
    """Whether every run, and every worker that waits for one, is in a network that is closed; pure."""
    found = list(found)
    nets = {held.id: held for held in found if held.kind == "net"}
    workers = [held for held in found if held.kind in {"run", "standby"}]
    for held in workers:
        if held.powers:
            return missing("runs", f"{held.name} has powers of its own: {', '.join(held.powers)}", _end(held))
        if held.network != "none" and held.network.removeprefix("container:") not in nets:
            return missing("runs", f"{held.name} is in {held.network}, which nobody has closed", _end(held))
    for net in nets.values():
        if lacking := _lacking(net):
            return missing("runs", f"the network that {net.name} holds is open: {lacking}", _end(net))
    if not workers and not nets:
        return warning("runs", "no run is here and no worker waits, so no network of a run could be looked at")
    alone = sum(held.network == "none" for held in workers)
    apart = f"{len(nets)} networks of runs are closed to other runs and to this machine"
    return ok("runs", f"{apart}; {alone} of {len(workers)} workers have none" if alone else apart)


def _lacking(net: Held) -> str:
    if not net.rules:
        return "its kernel shows no rules"
    # A terminal ends lines otherwise.
    rules = net.rules.replace("\r", "")
    if not all(re.search(wall, rules) for wall in _WALLS):
        return "what is not allowed is not refused"
    beyond = [hop for hop in net.hops if not re.search(rf"daddr {re.escape(hop)} goto refused\b", rules)]
    return f"the machine is reached at {beyond[0]}" if beyond else ""


def _end(held: Held) -> str:
    return f"docker rm --force {held.name}; see {_DOCS}"


def builds(name: str, about: Mapping[str, object]) -> Finding:
    """Whether what prepares and builds, which is on the network itself, can reach each other; pure."""
    options = about.get("Options")
    if isinstance(options, dict) and options.get("com.docker.network.bridge.enable_icc") == "false":
        return ok("network", f"{name}: builds and downloads do not reach each other")
    detail = f"{name}: builds and downloads reach each other, and whatever else is on it; runs are held by their own"
    return warning("network", detail, f"docker network rm {name} && fastflow up")
