"""`sync`, `repositories`: where pipelines come from, and reading it now."""

import asyncio
import os
import time
from typing import Annotated, Any

from cyclopts import Parameter

from fastflow_cli.client import Gateway, gateway, segment
from fastflow_cli.console import progress, say, show_json, show_table
from fastflow_cli.errors import NotRunningError
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import instant
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
LOOK_EVERY_S = 0.2
COLUMNS = ("repository", "status", "branch", "commit", "subject", "read", "pipelines", "invalid", "reason")


async def repositories(*, where: Where = HERE, json: Json = False) -> int:
    """List the repositories that are watched, and how each was read last.

    Parameters
    ----------
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = (await door.get("/api/repositories"))["items"]
    return _shown(found, json=json)


async def sync(
    repository: str | None = None,
    *,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    within: float = 300.0,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Read the repositories now; ends with 1 when one cannot be read.

    Parameters
    ----------
    repository
        Only this one.
    wait
        Wait until they have been read.
    within
        Seconds to wait at most.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        body = {"repository": repository} if repository else {}
        asked = (await door.post("/api/sync", body))["items"]
        if not wait:
            show_json({"items": asked}) if json else say("asked for: " + ", ".join(one["repository"] for one in asked))
            return Exit.OK
        with progress("reading " + ", ".join(one["repository"] for one in asked)):
            deadline = time.monotonic() + within
            found = [await _answered(door, one, deadline) for one in asked]
    _shown(found, json=json)
    return Exit.FAILED if any(row["status"] == "failed" for row in found) else Exit.OK


async def _answered(door: Gateway, asked: dict[str, Any], deadline: float) -> dict[str, Any]:
    """The repository once this request to read it was answered.

    Raises:
        NotRunningError: nobody answers it in time.
    """
    wanted: int | None = None
    while True:
        row = await door.get(f"/api/repositories/{segment(asked['repository'])}")
        if wanted is None and row["requested_seq"] >= asked["seq"]:
            wanted = row["requests"]
        if wanted is not None and row["answered"] >= wanted:
            return row
        if time.monotonic() > deadline:
            raise NotRunningError(f"{asked['repository']} is not read yet", fix="fastflow repositories")
        await asyncio.sleep(LOOK_EVERY_S)


def _shown(found: list[dict[str, Any]], *, json: bool) -> Exit:
    if json:
        show_json({"items": found})
        return Exit.OK
    rows = [
        (
            row["name"],
            row["status"],
            row["branch"],
            (row["commit_sha"] or "")[:10],
            row["commit_subject"],
            instant(row["synced_at"]),
            str(row["pipelines"]),
            str(row["invalid"]),
            row["reason"],
        )
        for row in found
    ]
    show_table(COLUMNS, rows, empty="no repository is watched: fastflow up --git-url URL")
    return Exit.OK
