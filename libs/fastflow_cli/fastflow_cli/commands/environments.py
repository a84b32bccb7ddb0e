"""`env list|refresh|gc|verify`: what runs import, installed once."""

import os
import re
from typing import Annotated, Any

from cyclopts import Parameter
from msgspec import to_builtins

from fastflow_cli.client import gateway, segment
from fastflow_cli.console import say, show, show_json, show_table
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import instant
from fastflow_cli.home import find_home
from fastflow_cli.local.verify import verify as look_through
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import HomeOption, Json, Where

HERE = Where()
SHOWN = 20
"""Sentences about one tree."""
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


async def gc(
    *,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    keep_days: float | None = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Have environments deleted that no head, no run that is not over and no run of the last days needs.

    The runners delete them, each as soon as no run is in it. A run that needs one again has it made from the same lock.

    Parameters
    ----------
    dry_run
        Only say what would be deleted.
    keep_days
        What was prepared or used since then stays; else what FASTFLOW_ENV_KEEP_DAYS of the gateway says.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = await door.post("/api/environments/gc", dry_run=dry_run, keep_days=keep_days)
    if json:
        show_json(found)
        return Exit.OK
    rows = [
        (
            item["environment"],
            f"{item['size_bytes'] / 1e6:.1f} MB",
            instant(item["last_used_at"]) if item["last_used_at"] else "–",
        )
        for item in found["items"]
    ]
    show_table(("environment", "size", "last used"), rows, empty="everything that is installed is needed")
    if rows:
        total = f"{len(rows)} environment{'s' if len(rows) > 1 else ''}, {found['size_bytes'] / 1e6:.1f} MB"
        say(f"{total}: nothing was changed" if dry_run else f"{total}: each is deleted as soon as no run is in it")
    return Exit.OK


def verify(name: str = "", *, home: HomeOption = None, json: Json = False) -> int:
    """Look at every byte of what runs here are started from: environments, interpreters, code, stored wheels.

    What is not as it was made is named and set aside, and made again by the run that needs it next; the exit code is 1
    then. Nothing has to stop meanwhile.

    Parameters
    ----------
    name
        Only what has a name that begins so; the name of an environment stands in the manifest of each run.
    home
        Folder of the installation on this machine; else FASTFLOW_HOME, else the user's data folder.
    json
        For programs.
    """
    found = look_through(find_home(home, os.environ), os.environ, name)
    if json:
        show_json(to_builtins(found))
    else:
        for path, differing in found.changed.items():
            show(f"{path} has changed after it was made:")
            for sentence in differing[:SHOWN]:
                show(f"  {sentence}")
            if len(differing) > SHOWN:
                show(f"  and {len(differing) - SHOWN} more")
        looked_at = f"{found.trees} trees and {found.wheels} wheels were looked through"
        show(f"{looked_at}: {len(found.changed) or 'none'} changed" + (", set aside now" if found.changed else ""))
    return Exit.FAILED if found.changed else Exit.OK


def row_of(item: dict[str, Any]) -> tuple[str, ...]:
    """One line."""
    reasons = "; ".join(sorted(set(item["failures"].values())))
    status = f"{item['status']}: {reasons[:80]}" if reasons else item["status"]
    used = instant(item["last_used_at"]) if item["last_used_at"] else "–"
    size = f"{item['size_bytes'] / 1e6:.1f} MB" if item["size_bytes"] else "–"
    return (item["id"], status, item["python"], str(item["packages"]), size, used, ", ".join(item["pipelines"]))
