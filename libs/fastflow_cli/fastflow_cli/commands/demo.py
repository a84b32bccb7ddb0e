"""`demo`: everything at once, in a folder that is removed afterwards."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import httpx
from cyclopts import Parameter
from fastflow_events.errors import FastflowError
from fastflow_events.service.installation import id_of
from fastflow_events.service.settings import ALIASES

from fastflow_cli.client import gateway
from fastflow_cli.console import say, show
from fastflow_cli.demo.acts import find_pipelines, rebuild, show_facts, trigger, watch
from fastflow_cli.demo.packages import container_is_gone, show_packages
from fastflow_cli.demo.repository import BRANCH, find_examples, make_repository
from fastflow_cli.demo.telling import Story, passed
from fastflow_cli.errors import CliError, MissingError
from fastflow_cli.exits import Exit
from fastflow_cli.home import Home
from fastflow_cli.local.belongings import remove_belongings
from fastflow_cli.local.installation import Installation, InstallPlan, installed
from fastflow_cli.local.logs import tail
from fastflow_cli.local.plan import plan_up
from fastflow_cli.local.services import SERVICES
from fastflow_cli.local.signals import until_signal

PRE_HEAT = "FASTFLOW_PRE_HEAT"
PIPELINE = "slow_output"
ENV = {"STEPS": "6", "PAUSE_S": "0.3"}


def demo(
    *,
    executor: str | None = None,
    keep: Annotated[bool, Parameter(negative=())] = False,
    examples: Path | None = None,
) -> int:
    """Carry one run through the whole system and show every step.

    Makes a Git repository of the examples, starts everything in a temporary folder on free ports, triggers a pipeline
    over HTTP, shows its output live, prints the run's facts, deletes the read model and shows it rebuilt identical.

    Parameters
    ----------
    executor
        docker or process; forces one instead of falling back.
    keep
        Leave the temporary folder behind.

    Examples:
        Folder of pipelines; else the one of this checkout.
    """
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="fastflow-demo-"))
    plan: InstallPlan | None = None
    try:
        story = Story()
        story.step("repository")
        commit = make_repository(find_examples(examples), folder / "repository")
        story.tell(f"{(folder / 'repository').as_uri()} at commit {commit[:10]}")
        plan = plan_up(
            Home(folder / "home"),
            git_url=str(folder / "repository"),
            branch=BRANCH,
            port=0,
            host="127.0.0.1",
            insecure=False,
            executor=executor,
            fixed_ports=False,
            env=without_preheating(os.environ),
        )
        return asyncio.run(until_signal(play(plan, story, commit, started), interrupted=Exit.INTERRUPTED))
    except FastflowError as exc:
        show_logs(Home(folder / "home"))
        if isinstance(exc, CliError) and exc.fix and str(folder) in exc.fix and not keep:
            exc.fix = "fastflow demo --keep"  # the folder it points into is about to go
        raise
    finally:
        if keep:
            say(f"kept: {folder}")
        else:
            forget(plan)
            shutil.rmtree(folder, ignore_errors=True)


def forget(plan: InstallPlan | None) -> None:
    """Remove what the demo has left on the engine; where that does not answer any more, it stays."""
    if plan is not None and plan.proxy is not None and plan.home.keys.exists():
        with suppress(MissingError, httpx.HTTPError):
            remove_belongings(plan.proxy.engine, id_of(plan.home.keys))


def without_preheating(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with nothing prepared ahead, because the demo shows what a first run does."""
    return {**{k: v for k, v in env.items() if k != ALIASES.get(PRE_HEAT)}, PRE_HEAT: "0"}


async def play(plan: InstallPlan, story: Story, commit: str, started: float) -> int:
    """Every step; the last line is said when everything has been stopped.

    Raises:
        CliError: a step went wrong.
    """
    story.step("services")
    async with installed(plan, say) as installation:
        run_id, seq = await acts(installation, story, commit)
    show(passed(run_id, plan.choice.kind, seq, time.monotonic() - started), style="bold green")
    return Exit.OK


async def acts(installation: Installation, story: Story, commit: str) -> tuple[str, int]:
    """What happens while everything runs; returns the run and the stream position of the comparison."""
    plan = installation.plan
    story.tell(f"{', '.join(installation.supervisor.pids())}; gateway {installation.url}, {installation.nats_url}")
    story.tell(f"executor: {plan.choice.kind} ({plan.choice.why})")
    async with gateway(installation.url) as door:
        await find_pipelines(door, story, commit)
        story.step("trigger")
        run_id = await trigger(door, story, PIPELINE, ENV)
        story.step("output")
        run = await watch(door, story, run_id)
        if plan.choice.kind == "docker":
            await show_packages(door, story)
        if plan.proxy is not None:
            if not await container_is_gone(plan.proxy.engine, run["container"]):
                raise CliError(f"the container {run['container']} is still there", fix="docker ps --all")
            story.tell(f"container {run['container']} is gone")
        await show_facts(door, story, run_id)
        return run_id, await rebuild(door, story, installation)


def show_logs(home: Home) -> None:
    """The end of the log of each service that complained; of the runner when none did."""
    tails = {service: tail(home.log_of(service), 8) for service in SERVICES}
    complaining = {s: lines for s, lines in tails.items() if any(is_complaint(line) for line in lines)}
    for service, lines in (complaining or {"runner": tails["runner"]}).items():
        if lines:
            say(f"--- the end of {service}'s log")
        for line in lines:
            say(line)


def is_complaint(line: str) -> bool:
    """True for an error in the log, and for the words of a process that ended without logging."""
    return '"level":"error"' in line or (bool(line.strip()) and not line.startswith("{"))
