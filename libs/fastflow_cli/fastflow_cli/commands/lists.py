"""`runs`, `pipelines`: what there is."""

import os
from typing import Annotated, Any

from cyclopts import Parameter

from fastflow_cli.client import gateway
from fastflow_cli.console import show_json, show_table
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import run_row
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()


async def runs(
    *,
    pipeline: str | None = None,
    status: list[str] | None = None,
    limit: int = 20,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """List runs, newest first.

    Parameters
    ----------
    pipeline
        Only of this one.
    status
        Only with this status; may be given several times.
    limit
        How many at most.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = [item async for item in door.items("/api/runs", at_most=limit, pipeline=pipeline, status=status)]
    if json:
        show_json({"items": found})
        return Exit.OK
    columns = ("run", "pipeline", "status", "asked", "took", "reason")
    show_table(columns, [run_row(item) for item in found], empty="no runs yet: fastflow run PIPELINE --follow")
    return Exit.OK


async def pipelines(
    *,
    tag: Annotated[list[str] | None, Parameter(negative=())] = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """List what is at the head of the repository; invalid pipelines with the reason, others with their warnings.

    Parameters
    ----------
    tag
        Only with this tag, or one of these when it is given several times.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = [item async for item in door.items("/api/pipelines", tags=",".join(tag or ()) or None)]
    if json:
        show_json({"items": found})
        return Exit.OK
    rows = [
        (p["name"], "paused" if p["paused"] else p["status"], p["commit"][:10], "; ".join(p["errors"] or warnings(p)))
        for p in found
    ]
    show_table(("pipeline", "status", "commit", "remarks"), rows, empty="no pipelines: commit a folder with a main.py")
    return Exit.OK


def warnings(pipeline: dict[str, Any]) -> list[str]:
    """What its author should know although it runs."""
    return list((pipeline["definition"] or {}).get("warnings", ()))
