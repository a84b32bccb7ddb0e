"""The checks; each looks at one thing and changes nothing."""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping

import httpx
import msgspec
from fastflow_events.doubts import DoubtsReport
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.server_process import find_binary
from msgspec import Struct

from fastflow_cli.doctor.finding import Finding, missing, ok, warning
from fastflow_cli.doctor.log import log
from fastflow_cli.home import Home
from fastflow_cli.local.engine import Engine, find_engine, has_image
from fastflow_cli.local.installation import NATS_PORT
from fastflow_cli.local.ports import is_free
from fastflow_cli.local.proxy import allowed_by, find_proxy
from fastflow_cli.local.services import WORKER_IMAGE, search_path
from fastflow_cli.local.state import is_up, read_state

PYTHON = (3, 11)
GATEWAY_PORT = 8000
LITTLE_DISK_BYTES = 2_000_000_000
NO_DISK_BYTES = 200_000_000
ANSWER_WITHIN_S = 10.0
NAMED = 3
"""Facts that are named; the address that is told has more."""


class Health(Struct, frozen=True, kw_only=True):
    """What a service answers to whoever asks whether it is ready."""

    status: str
    broken: dict[str, str] = {}
    set_aside: DoubtsReport | None = None


def examine(home: Home, env: Mapping[str, str]) -> list[Finding]:
    """Every check, in the order in which things are needed."""
    return [
        python(),
        program("git", env, "apt-get install git"),
        nats(env),
        program("uv", env, "scripts/bootstrap"),
        *docker(env),
        disk(home),
        *log(home),
        *ports(home),
        *services(home),
    ]


def python() -> Finding:
    """The interpreter that runs this."""
    version = platform.python_version()
    if sys.version_info < PYTHON:
        return missing("python", f"{version} is too old; 3.11 or newer is needed", "uv python install 3.11")
    return ok("python", f"{version}, {sys.executable}")


def program(name: str, env: Mapping[str, str], fix: str) -> Finding:
    """A program that says its version."""
    path = shutil.which(name, path=search_path(env))
    if path is None:
        return missing(name, "not on PATH", fix)
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False, timeout=ANSWER_WITHIN_S, env=dict(env)
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return missing(name, f"{path} does not answer: {exc}", fix)
    if done.returncode != 0:
        return missing(name, f"{path} does not work: {done.stderr.strip()[-200:]}", fix)
    version = re.search(r"\d+(\.\d+)+", done.stdout)
    return ok(name, f"{version[0] if version else done.stdout.strip()}, {path}")


def nats(env: Mapping[str, str]) -> Finding:
    """nats-server, new enough."""
    try:
        binary = find_binary(env)
    except InfrastructureError as exc:
        return missing("nats-server", str(exc), "scripts/bootstrap")
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    return ok("nats-server", f"{done.stdout.strip().removeprefix('nats-server: v')}, {binary}")


def docker(env: Mapping[str, str]) -> list[Finding]:
    """The engine and what containers need beside it; without them runs are processes."""
    engine = find_engine(env)
    if not isinstance(engine, Engine):
        return [warning("engine", engine, "make docker")]
    found = [ok("engine", f"{engine.version} (API {engine.api}), {engine.address.url}")]
    image = allowed_by(env).image
    if has_image(engine, image):
        found.append(ok("worker image", image))
    else:
        fix = "make images-worker" if image == WORKER_IMAGE else f"docker pull {image}"
        found.append(warning("worker image", f"the engine does not hold {image}", fix))
    proxy = find_proxy(engine, env)
    if isinstance(proxy, str):
        found.append(warning("socket proxy", proxy, "apt-get install haproxy"))
    else:
        found.append(ok("socket proxy", proxy.binary or "HAProxy as a container"))
    return found


def disk(home: Home) -> Finding:
    """Room for the log where the installation is or would be."""
    existing = next(path for path in (home.path, *home.path.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1e9:.1f} GB free for {home.path}"
    if free < NO_DISK_BYTES:
        return missing("disk", detail, f"df -h {existing}")
    return warning("disk", detail, f"df -h {existing}") if free < LITTLE_DISK_BYTES else ok("disk", detail)


def services(home: Home) -> list[Finding]:
    """What the services of the installation that runs here say of themselves."""
    state = read_state(home) if is_up(home) else None
    return [_service(name, url) for name, url in (state.health if state else {}).items()]


def _service(name: str, url: str) -> Finding:
    ask = f"curl {url}/health/ready"
    try:
        health = msgspec.json.decode(
            httpx.get(f"{url}/health/ready", timeout=ANSWER_WITHIN_S, trust_env=False).content, type=Health
        )
    except (httpx.HTTPError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        return warning(name, f"does not say how it is: {exc or type(exc).__name__}", ask)
    if health.broken:
        return warning(name, "; ".join(f"{port}: {why}" for port, why in health.broken.items()), ask)
    if (aside := health.set_aside) is not None:
        return warning(name, _set_aside(aside), ask)
    return ok(name, "ready")


def _set_aside(aside: DoubtsReport) -> str:
    findings = []
    if unread := aside.count - aside.foreign:
        findings.append(f"{unread} facts set aside, nothing is decided about what they are of")
    if aside.foreign:
        findings.append(f"{aside.foreign} facts that count for nothing because of who said them: look for a stolen key")
    named = "; ".join(fact.sentence for fact in aside.facts[:NAMED])
    return f"{', and '.join(findings)}: {named}" if findings else "something is not trusted: its log says what"


def ports(home: Home) -> list[Finding]:
    """The well-known ports; when one is taken, `up` takes another."""
    if is_up(home):
        return [ok("ports", "taken by the installation that runs here")]
    return [
        ok(f"port {port}", "free")
        if is_free("127.0.0.1", port)
        else warning(f"port {port}", f"taken; `fastflow up` takes another one for {what}", f"ss -ltnp sport = :{port}")
        for port, what in ((GATEWAY_PORT, "the gateway"), (NATS_PORT, "NATS"))
    ]
