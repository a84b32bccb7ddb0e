"""`queue`, `why`, `purge`, `prioritise`, `hurry`, `pause`, `resume`: what waits, why, and how it is moved and held."""

import os
from typing import Annotated
from urllib.parse import quote

from cyclopts import Parameter

from fastflow_cli.client import gateway
from fastflow_cli.console import say, show, show_json, show_table
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
Everything = Annotated[bool, Parameter(name="--everything", negative=())]


async def queue(*, where: Where = HERE, json: Json = False) -> int:
    """List the runs that wait, first to start first, with what each waits for.

    Parameters
    ----------
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = (await door.get("/api/queue"))["items"]
    if json:
        show_json({"items": found})
        return Exit.OK
    rows = [
        (str(r["position"]), r["id"], r["pipeline"], str(r["priority"]), r["waiting_for"], ", ".join(r["blockers"][:3]))
        for r in found
    ]
    show_table(("#", "run", "pipeline", "priority", "waits for", "freed by"), rows, empty="nothing waits")
    return Exit.OK


async def why(run: str, *, where: Where = HERE, json: Json = False) -> int:
    """Tell why a run is as it is: every cause from its trigger to now.

    Parameters
    ----------
    run
        Id of the run.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = await door.get(f"/api/runs/{quote(run, safe='')}/why")
    if json:
        show_json(found)
        return Exit.OK
    for line in found["lines"]:
        show(f"{line['at']}  {line['run'][:8]}  {line['text']}")
    if waiting := found["waiting"]:
        show(f"now: number {waiting['position']} in the queue; it waits for: {waiting['waiting_for']}")
        for blocker in waiting["blockers"]:
            show(f"     run {blocker} would free it")
    else:
        show(f"now: {found['status']}" + (f" ({found['reason']})" if found["reason"] else ""))
    return Exit.OK


async def purge(
    pipeline: str | None = None,
    *,
    everything: Everything = False,
    why: str | None = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Cancel every run in the queue, of one pipeline or with --everything of all; what has started goes on.

    Parameters
    ----------
    pipeline
        Only of this one.
    everything
        Of all pipelines.
    why
        A reason, for those who ask later.
    json
        For programs.
    """
    if (pipeline is None) != everything:
        raise UsageError("say a pipeline, or --everything", fix="fastflow purge --everything")
    async with gateway(gateway_url(where, os.environ)) as door:
        purged = await door.post("/api/queue/purge", pipeline=pipeline, why=why)
    if json:
        show_json(purged)
    else:
        say(f"{purged['cancelled']} runs in the queue were cancelled")
    return Exit.OK


async def prioritise(run: str, priority: int, *, where: Where = HERE) -> int:
    """Move a run in the queue; higher goes first.

    Parameters
    ----------
    run
        Id of the run.
    priority
        From -1000 to 1000.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        await door.post(f"/api/runs/{quote(run, safe='')}/prioritise", priority=priority)
    say(f"run {run} has priority {priority}")
    return Exit.OK


async def hurry(run: str, *, where: Where = HERE) -> int:
    """Try a waiting run again now.

    Parameters
    ----------
    run
        Id of the run.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        await door.post(f"/api/runs/{quote(run, safe='')}/hurry")
    say(f"run {run} does not wait any longer")
    return Exit.OK


async def pause(pipeline: str | None = None, *, where: Where = HERE) -> int:
    """Start nothing new, of one pipeline or anywhere; what runs goes on, and schedules rest.

    Parameters
    ----------
    pipeline
        Only this one.
    """
    return await _hold("pause", pipeline, where)


async def resume(pipeline: str | None = None, *, where: Where = HERE) -> int:
    """Go on after a pause.

    Parameters
    ----------
    pipeline
        Only this one.
    """
    return await _hold("resume", pipeline, where)


async def _hold(verb: str, pipeline: str | None, where: Where) -> int:
    path = f"/api/pipelines/{quote(pipeline, safe='')}/{verb}" if pipeline else f"/api/{verb}"
    async with gateway(gateway_url(where, os.environ)) as door:
        await door.post(path)
    say(f"{verb}d: {pipeline or 'everything'}")
    return Exit.OK
