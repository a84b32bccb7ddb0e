"""From the command line and the environment to a plan: everything is found out here, nothing is started."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from fastflow_events.nats.room import RoomSettings
from fastflow_events.service.settings import PREFIX, load

from fastflow_cli.errors import UsageError
from fastflow_cli.home import Home
from fastflow_cli.local.engine import ensure_network, find_engine, has_image
from fastflow_cli.local.executor import Choice, Found, choose, wanted
from fastflow_cli.local.installation import InstallPlan
from fastflow_cli.local.ports import first_free, is_free
from fastflow_cli.local.proxy import Proxy, allowed_by, find_proxy
from fastflow_cli.local.services import setting
from fastflow_cli.local.source import Source, choose_source, current_branch
from fastflow_cli.local.state import read_state


def plan_source(home: Home, git_url: str | None, branch: str | None, env: Mapping[str, str], cwd: Path) -> Source:
    """The repository to watch, with its branch.

    Raises:
        UsageError: none is named anywhere.
    """
    state = read_state(home)
    remembered = (state.git_url, state.branch) if state else None
    source = choose_source(named=git_url, configured=setting(env, "FASTFLOW_GIT_URL"), remembered=remembered, cwd=cwd)
    chosen = branch or setting(env, "FASTFLOW_GIT_BRANCH") or source.branch or current_branch(source.git_url)
    return msgspec.structs.replace(source, branch=chosen)


def plan_executor(forced: str | None, env: Mapping[str, str]) -> tuple[Choice, Proxy | None, str | None]:
    """The executor with its way to the engine: a proxy of ours, or the URL of somebody else's.

    Raises:
        MissingError: docker is forced and something for it is missing.
    """
    named = wanted(forced or setting(env, "FASTFLOW_EXECUTOR"))
    given = setting(env, "FASTFLOW_DOCKER_URL")
    if given and named != "process":
        return Choice("docker", f"FASTFLOW_DOCKER_URL={given}"), None, given
    if named == "process":
        return choose(named, Found(engine=None, image=None, proxy=None)), None, None
    engine = find_engine(env)
    if isinstance(engine, str):
        return choose(named, Found(engine=engine, image=None, proxy=None)), None, None
    allowed = allowed_by(env)
    missing = None if has_image(engine, allowed.image) else f"the engine does not hold the image {allowed.image}"
    proxy = find_proxy(engine, env, allowed=allowed)
    choice = choose(named, Found(engine=None, image=missing, proxy=proxy if isinstance(proxy, str) else None))
    if choice.kind == "process" or isinstance(proxy, str):
        return choice, None, None
    return choice, prepared(proxy), None


def prepared(proxy: Proxy) -> Proxy:
    """The proxy, with the network of the runs made on its engine; the runner may not make one."""
    ensure_network(proxy.engine, proxy.allowed.network)
    return proxy


def plan_port(port: int | None, host: str) -> int | None:
    """The gateway's port, if it is named.

    Raises:
        UsageError: the named one is taken.
    """
    if port and not is_free(host, port):
        raise UsageError(f"port {port} on {host} is taken", fix=f"fastflow up --port {first_free(port, host)}")
    return port


def plan_room(env: Mapping[str, str]) -> RoomSettings:
    """How large the log and all else may become; where the server is ours, no file says so.

    Raises:
        SettingsError: a size does not fit.
    """
    names = {f"{PREFIX}{field.name.upper()}" for field in msgspec.structs.fields(RoomSettings)}
    given = {name: value for name, value in env.items() if name in names and name.endswith(("_BYTES", "_DAYS"))}
    return load(RoomSettings, given)


def plan_up(
    home: Home,
    *,
    git_url: str | None,
    branch: str | None,
    port: int | None,
    host: str,
    insecure: bool,
    executor: str | None,
    fixed_ports: bool = True,
    env: Mapping[str, str] = os.environ,
) -> InstallPlan:
    """Decide everything about an installation.

    Raises:
        UsageError: the command line does not say enough, or says something impossible.
        MissingError: what is forced is not possible here.
    """
    source = plan_source(home, git_url, branch, env, Path.cwd())
    choice, proxy, docker_url = plan_executor(executor, env)
    return InstallPlan(
        home=home,
        source=source,
        choice=choice,
        proxy=proxy,
        docker_url=docker_url,
        host=host,
        port=plan_port(port, host),
        insecure=insecure,
        fixed_ports=fixed_ports,
        env=env,
        room=plan_room(env),
    )
