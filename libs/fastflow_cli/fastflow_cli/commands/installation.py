"""`up`, `status`, `down`: an installation on this machine."""

import asyncio
import os
import signal
import time
from contextlib import ExitStack
from typing import Annotated

from cyclopts import Parameter

from fastflow_cli.console import progress, say, show, show_json, show_table
from fastflow_cli.errors import CliError, NotRunningError
from fastflow_cli.exits import Exit
from fastflow_cli.home import Home, find_home
from fastflow_cli.local.installation import Installation, InstallPlan, installed
from fastflow_cli.local.plan import plan_up
from fastflow_cli.local.readiness import is_ready
from fastflow_cli.local.signals import until_signal
from fastflow_cli.local.state import AlreadyRunningError, UpState, is_up, read_state
from fastflow_cli.options import HomeOption, Json

READY_WITHIN_S = 60.0
DOWN_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


def up(
    *,
    git_url: str | None = None,
    branch: str | None = None,
    port: int | None = None,
    host: str = "127.0.0.1",
    insecure: Annotated[bool, Parameter(negative=())] = False,
    executor: str | None = None,
    home: HomeOption = None,
) -> int:
    """Start Fast-Flow on this machine and keep it running until Ctrl-C.

    Starts NATS and the four services, finds a Docker engine and otherwise runs scripts as processes, and says so.
    Started twice, the second one says where the first one is and exits with 0.

    Parameters
    ----------
    git_url
        Repository with the pipelines, or a folder; else FASTFLOW_GIT_URL, the last one, the one around this folder.
    branch
        Branch to watch; else FASTFLOW_GIT_BRANCH, else the one a local repository is on, else main.
    port
        Port of the gateway; else the first free one from 8000; 0 takes any.
    host
        Address the gateway listens on.
    insecure
        Allow other addresses than loopback although nobody has to log in.
    executor
        docker or process; forces one instead of falling back.
    home
        Folder for everything; else FASTFLOW_HOME, else the user's data folder.
    """
    place = find_home(home, os.environ)
    if is_up(place):
        return already_running(place)
    plan = plan_up(place, git_url=git_url, branch=branch, port=port, host=host, insecure=insecure, executor=executor)
    try:
        return asyncio.run(until_signal(serve(plan), interrupted=Exit.OK))
    except AlreadyRunningError:
        return already_running(place)


async def serve(plan: InstallPlan) -> int:
    """Run until cancelled."""
    started = time.monotonic()
    say(f"repository: {plan.source.git_url} ({plan.source.why})")
    say(f"executor: {plan.choice.kind} ({plan.choice.why})")
    with ExitStack() as waiting:
        waiting.enter_context(progress("starting NATS and the services"))
        async with installed(plan, say) as installation:
            waiting.close()
            describe(installation)
            say(f"ready in {time.monotonic() - started:.1f} s; Ctrl-C stops it")
            try:
                await asyncio.Event().wait()
            finally:
                say("stopping")
    return Exit.OK


def describe(installation: Installation) -> None:
    """Where everything is."""
    show(f"gateway   {installation.url}")
    show(f"api       {installation.url}/schema/openapi.json")
    show(f"nats      {installation.nats_url}")
    show(f"home      {installation.plan.home.path}")
    show(f"logs      {installation.plan.home.logs}")


def already_running(home: Home) -> int:
    """Say where the other one is, waiting for it while it starts and gets on."""
    deadline, doing = time.monotonic() + READY_WITHIN_S, ""
    with progress("another `fastflow up` is starting"):
        while is_up(home):
            state = read_state(home)
            if state is not None and state.ready:
                show(f"already running at {state.url}")
                return Exit.OK
            if state is not None and state.doing not in ("", doing):
                deadline, doing = time.monotonic() + READY_WITHIN_S, state.doing
                say(f"the other one is {doing}")
            if time.monotonic() > deadline:
                raise NotRunningError(
                    f"another `fastflow up` in {home.path} does not become ready", fix="fastflow down"
                )
            time.sleep(LOOK_EVERY_S)
    raise NotRunningError(f"another `fastflow up` in {home.path} has just ended")


def running_state(home: Home) -> UpState:
    """What the running installation says about itself.

    Raises:
        NotRunningError: there is none.
    """
    state = read_state(home)
    if state is None or not is_up(home):
        raise NotRunningError(f"nothing runs in {home.path}")
    return state


def status(*, home: HomeOption = None, json: Json = False) -> int:
    """Say what runs on this machine, and whether it works.

    Parameters
    ----------
    home
        Folder of the installation.
    json
        For programs.
    """
    place = find_home(home, os.environ)
    state = running_state(place)
    problem = asyncio.run(is_ready(state.url))
    if json:
        show_json(
            {
                "url": state.url,
                "nats_url": state.nats_url,
                "executor": state.executor,
                "why": state.why,
                "git_url": state.git_url,
                "branch": state.branch,
                "pid": state.pid,
                "children": state.children,
                "started_at": state.started_at,
                "problem": problem,
                "home": str(place.path),
            }
        )
    else:
        show(f"running at {state.url} since {state.started_at}, pid {state.pid}")
        show(f"nats {state.nats_url}, executor {state.executor} ({state.why})")
        show(f"repository {state.git_url}{f' branch {state.branch}' if state.branch else ''}")
        rows = [(name, str(pid), str(place.log_of(name))) for name, pid in state.children.items()]
        show_table(("process", "pid", "log"), rows, empty="no child runs")
    if problem:
        raise NotRunningError(f"the gateway does not work: {problem}", fix=f"tail -n 50 {place.log_of('gateway')}")
    return Exit.OK


def down(*, home: HomeOption = None) -> int:
    """Stop what `fastflow up` started on this machine; the data stays.

    Parameters
    ----------
    home
        Folder of the installation.
    """
    place = find_home(home, os.environ)
    if not is_up(place):
        say(f"nothing runs in {place.path}")
        return Exit.OK
    os.kill(running_state(place).pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_WITHIN_S
    with progress("stopping"):
        while is_up(place):
            if time.monotonic() > deadline:
                raise CliError(f"it did not stop within {DOWN_WITHIN_S:g} s", fix="fastflow status")
            time.sleep(LOOK_EVERY_S)
    say("stopped")
    return Exit.OK
