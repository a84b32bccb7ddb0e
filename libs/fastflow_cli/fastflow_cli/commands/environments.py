"""`env list|refresh`: what runs import, installed once."""

import os
import re
from typing import Any

from fastflow_cli.client import gateway, segment
from fastflow_cli.commands.shown import instant
from fastflow_cli.console import say, show_json, show_table
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
ID = re.compile(r"[0-9a-f]{32}")


async def list_environments(*, where: Where = HERE, json: Json = False) -> int:
    """List environments with their size, their last use and the pipelines whose head needs them.

    Parameters
    ----------
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = (await door.get("/api/environments"))["items"]
    if json:
        show_json({"items": found})
        return Exit.OK
    columns = ("environment", "is", "python", "packages", "size", "last used", "pipelines")
    show_table(columns, [row_of(item) for item in found], empty="no environments yet: runs prepare them")
    return Exit.OK


async def refresh(environment: str, *, where: Where = HERE, json: Json = False) -> int:
    """Have packages resolved anew when they are needed next; runs that have begun keep what they have.

    Parameters
    ----------
    environment
        Its id, or the name of a pipeline: then those that its head needs.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        ids = [environment]
        if not ID.fullmatch(environment):
            found = (await door.get("/api/environments"))["items"]
            ids = [item["id"] for item in found if environment in item["pipelines"]]
        if not ids:
            raise UsageError(f"no environment was prepared for {environment}", fix="fastflow env list")
        items = [await door.post(f"/api/environments/{segment(id)}/refresh") for id in ids]
    if json:
        show_json({"items": items})
    else:
        say(f"{len(items)} environment{'s' if len(items) > 1 else ''} will be resolved anew when a run needs it")
    return Exit.OK


def row_of(item: dict[str, Any]) -> tuple[str, ...]:
    """One line."""
    reasons = "; ".join(sorted(set(item["failures"].values())))
    status = f"{item['status']}: {reasons[:80]}" if reasons else item["status"]
    used = instant(item["last_used_at"]) if item["last_used_at"] else "–"
    size = f"{item['size_bytes'] / 1e6:.1f} MB" if item["size_bytes"] else "–"
    return (item["id"], status, item["python"], str(item["packages"]), size, used, ", ".join(item["pipelines"]))
