"""`plan`: what a branch would change, before it is merged."""

import os
from typing import Any

from fastflow_cli.client import Answer, gateway
from fastflow_cli.console import progress, say, show, show_json, show_table
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import instant
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
SHOWN_FIRES = 3


async def plan(*, ref: str, repository: str | None = None, where: Where = HERE, json: Json = False) -> int:
    """Say what merging a branch would change; ends with 1 when something should keep you from it.

    Parameters
    ----------
    ref
        A branch, or a commit that some branch holds; it has to be pushed.
    repository
        Which one, where several are watched.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        with progress(f"reading {ref}"):
            found = await door.get("/api/sync/plan", ref=ref, repository=repository)
    if json:
        show_json(found)
    else:
        show_plan(found)
    return Exit.FAILED if found["problems"] else Exit.OK


def show_plan(found: Answer) -> None:
    """The plan for people."""
    base = (found["base"] or "nothing")[:12]
    show(f"{found['repository']}: {base} → {found['commit'][:12]} ({found['ref']})")
    pipelines = [(c["pipeline"], c["change"], line) for c in found["pipelines"] for line in pipeline_lines(c)]
    show_table(("pipeline", "is", "because"), pipelines, empty=f"no pipeline changes, {found['unchanged']} stay")
    schedules = [(s["pipeline"], s["schedule"], fires(s["before"]), fires(s["after"])) for s in found["schedules"]]
    if schedules:
        show_table(("pipeline", "schedule", "seven days before", "seven days after"), schedules, empty="")
    for chain in found["chains"]:
        show(f"chain {chain['change']}: {chain['upstream']} → {chain['downstream']} on {chain['condition']}")
    for environment in found["environments"]:
        python = environment["python"] or "the default Python"
        failed = f"; it failed before: {environment['failed']}" if environment["failed"] else ""
        show(f"environment to build: {python}, for {', '.join(environment['pipelines'])}{failed}")
    for problem in found["problems"]:
        say(f"problem: {problem}", style="red")


def pipeline_lines(change: dict[str, Any]) -> list[str]:
    """Why a pipeline is in the plan, a line each."""
    members = [f"{m['member']}: {shortened(m['before'])} → {shortened(m['after'])}" for m in change["members"]]
    warnings = [f"warning: {warning}" for warning in change["warnings"]]
    only_code = ["its code"] if change["change"] == "changed" and not members else []
    return [*change["errors"], *members, *only_code, *warnings] or [""]


def shortened(value: object) -> str:
    """A value as short as it can be."""
    if value is None:
        return "not said"
    text = str(value)
    return f"{text[:60]}…" if len(text) > 60 else text


def fires(found: dict[str, Any] | None) -> str:
    """The first times, and how many there are."""
    if found is None:
        return "–"
    first = ", ".join(instant(at) for at in found["at"][:SHOWN_FIRES])
    return f"{found['count']} times: {first}" if found["count"] else "never"
