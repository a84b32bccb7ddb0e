"""`fastflow doctor --security`: an installation against docs/security.md; each wall is tried, none is touched.

`missing` is a wall that does not stand; `warning` one that somebody chose to do without.
"""

import json
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from fastflow_cli.doctor.finding import Finding, missing, ok, warning
from fastflow_cli.doctor.neighbours import builds, closed, look
from fastflow_cli.doctor.proxy_wall import refuses
from fastflow_cli.home import Home
from fastflow_cli.local.engine import Address, Engine, client, find_engine
from fastflow_cli.local.proxy import allowed_by
from fastflow_cli.local.proxy_socket import find_socket
from fastflow_cli.local.services import known_id, setting
from fastflow_cli.local.state import UpState, is_up, read_state

WITHIN_S = 5.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Privacy(Struct, frozen=True):
    """A path that may be opened by its owner only."""

    path: Path
    what: str


def examine(home: Home, env: Mapping[str, str]) -> list[Finding]:
    """Every wall, from the files inwards."""
    state = read_state(home) if is_up(home) else None
    found = [*files(home, env)]
    if state is None:
        found.append(warning("installation", "none runs here: only files and engine were looked at", "fastflow up"))
    else:
        found += [bus(state), doors(state), executor(state)]
        found += proxies(home, env) if state.executor == "docker" else ()
    in_containers = state is not None and state.executor == "docker"
    return [*found, *engine(home, env, in_containers=in_containers)]


def files(home: Home, env: Mapping[str, str]) -> Iterator[Finding]:
    """Keys, and what holds params and output, belong to one user."""
    for private in _private(home, env):
        yield judged(private, private.path.stat())


def _private(home: Home, env: Mapping[str, str]) -> list[Privacy]:
    found = [Privacy(home.path, "the folder with the log and the output of runs")]
    found += [Privacy(home.keys, "keys of the services")]
    found += [Privacy(path, "a service's key") for path in sorted(home.keys.glob("*.nk"))]
    found += [Privacy(home.path / "runner", "the runner's folder")]
    found += [Privacy(path, "the keys that open secrets") for path in (home.path / "runner").glob("sealing.keys")]
    named = ((name, env[name]) for name in sorted(env) if name.startswith("FASTFLOW_") and name.endswith("_FILE"))
    found += [Privacy(Path(value), name) for name, value in named if value and "KNOWN_HOSTS" not in name]
    return [private for private in found if private.path.exists()]


def judged(private: Privacy, about: os.stat_result) -> Finding:
    """Whether others may open it; pure."""
    mode = stat.S_IMODE(about.st_mode)
    if mode & 0o077:
        fix = f"chmod {mode & 0o700:o} {private.path}"
        return missing("files", f"{private.path} ({private.what}) is open to others, mode {mode:o}", fix)
    if about.st_uid != os.getuid():
        return warning("files", f"{private.path} ({private.what}) belongs to uid {about.st_uid}, not to who asks")
    return ok("files", f"{private.path}: {private.what}, mode {mode:o}")


def bus(state: UpState) -> Finding:
    """Nobody is let in without a key; what listens beyond this machine is said."""
    url = urlsplit(state.nats_url)
    try:
        with socket.create_connection((url.hostname or "", url.port or 4222), timeout=WITHIN_S) as connection:
            status = connection.makefile("rb").readline().partition(b" ")[2]
        if not json.loads(status).get("auth_required"):
            return missing("bus", f"{state.nats_url} lets everybody in", "fastflow down && fastflow up")
    except (OSError, ValueError) as exc:
        return warning("bus", f"{state.nats_url} does not say whom it lets in: {exc or type(exc).__name__}")
    if url.hostname not in LOOPBACK:
        return warning("bus", f"{state.nats_url} is open to other machines; whoever has a key may come in")
    return ok("bus", f"{state.nats_url}: with a key only, from this machine only")


def doors(state: UpState) -> Finding:
    """Nobody has to log in, so nobody else may reach it, nor may somebody's page ask in a person's name."""
    url = urlsplit(state.url)
    if url.hostname not in LOOPBACK:
        return missing("gateway", f"{state.url} is open to other machines, and nobody has to log in", "fastflow up")
    try:
        answer = httpx.get(
            f"{state.url}/api/runs", headers={"Host": "attacker.example"}, timeout=WITHIN_S, trust_env=False
        )
    except httpx.HTTPError as exc:
        return warning("gateway", f"{state.url} does not answer: {exc or type(exc).__name__}")
    if answer.is_success:
        return missing("gateway", f"{state.url} answers to any name", "unset FASTFLOW_ALLOWED_HOSTS")
    return ok("gateway", f"{state.url}: on this machine only, and by its own names only")


def executor(state: UpState) -> Finding:
    """Processes are not apart from whoever started them."""
    if state.executor != "docker":
        detail = f"runs are processes of this user, who may read all that is his: {state.why}"
        return warning("executor", detail, "FASTFLOW_EXECUTOR=docker fastflow up")
    return ok("executor", "every run in a container of its own")


def proxies(home: Home, env: Mapping[str, str]) -> Iterator[Finding]:
    """The socket proxy of this machine, and one of somebody else that a setting names."""
    if (path := find_socket(home)) is not None:
        finding = judged(Privacy(path, "the way to the engine"), path.stat())
        yield finding if finding.state != "ok" else refuses(Address(f"unix://{path}"), within_s=WITHIN_S)
    elif url := setting(env, "FASTFLOW_DOCKER_URL"):
        yield refuses(Address(url), within_s=WITHIN_S)


def engine(home: Home, env: Mapping[str, str], *, in_containers: bool) -> Iterator[Finding]:
    """What the engine can hold a run with, and what holds those that are there, or should be `in_containers`."""
    found = find_engine(env)
    if not isinstance(found, Engine):
        return
    if found.address.socket is None:
        yield warning("engine", f"{found.address.url} is reached over TCP: whoever reaches it is root there")
    try:
        with client(found.address) as http:
            about = http.get("/info").raise_for_status().json()
            network = http.get(f"/networks/{allowed_by(env).network}")
            held = look(http, installation) if (installation := known_id(home, env)) else []
    except (httpx.HTTPError, ValueError) as exc:
        yield warning("engine", f"{found.address.url} does not say what it can: {exc or type(exc).__name__}")
        return
    yield held_by(about)
    if held or in_containers:
        yield closed(held)
    if network.is_success:
        yield builds(allowed_by(env).network, network.json())


def held_by(about: Mapping[str, object]) -> Finding:
    """Which of the kernel's means the engine uses; pure."""
    options = about.get("SecurityOptions")
    named = {str(option).partition(",")[0] for option in options} if isinstance(options, list) else set()
    lacking = [what for key, what in (("MemoryLimit", "memory"), ("PidsLimit", "processes")) if not about.get(key)]
    if "name=seccomp" not in named:
        return missing("engine", "no seccomp: runs may make every system call", "docker info")
    if lacking:
        return missing("engine", f"it cannot limit {' and '.join(lacking)}", "docker info")
    more = sorted(option.removeprefix("name=") for option in named)
    return ok("engine", f"limits memory and processes; {', '.join(more)}")


def verdict(findings: list[Finding]) -> str:
    """One sentence over everything."""
    broken = sum(finding.state == "missing" for finding in findings)
    chosen = sum(finding.state == "warning" for finding in findings)
    if broken:
        return f"{broken} of {len(findings)} walls do not stand; docs/security.md says what each is for"
    return f"all {len(findings)} walls stand" if not chosen else f"no wall is broken; {chosen} to know about"
