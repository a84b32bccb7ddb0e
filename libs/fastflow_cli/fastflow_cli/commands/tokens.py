"""`token make|list|revoke|recover`, `me`: what programs come in with, where the gateway wants to know who asks."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from fastflow_cli.client import gateway, segment
from fastflow_cli.console import say, show, show_json, show_table
from fastflow_cli.errors import CliError, UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import instant
from fastflow_cli.home import find_home
from fastflow_cli.local.bus import settings_of
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import HomeOption, Json, Where

HERE = Where()
COLUMNS = ("token", "name", "may", "only for", "state", "until", "made by")
FOR_EVER = "for ever"


async def me(*, where: Where = HERE, json: Json = False) -> int:
    """Say who asks, and what he can.

    Parameters
    ----------
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = await door.get("/api/me")
    if json:
        show_json(found)
    else:
        show(f"{found['who']}: {found['role'] or 'no role'}; can {', '.join(found['can']) or 'nothing'}")
    return Exit.OK


async def make(
    name: str,
    *,
    role: Literal["viewer", "operator", "admin"] = "operator",
    scope: list[Literal["read", "trigger", "operate", "admin", "metrics"]] | None = None,
    days: str = "90",
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Make a token for a program. It is printed this once and cannot be seen again.

    Parameters
    ----------
    name
        What the token is called: a-z, 0-9 and dashes.
    role
        What it may do at most.
    scope
        What it is for; given several times, any of these. Without it all that the role may.
    days
        How long it is valid, 1 to 365, or "never" for a token that does not run out.
    json
        For programs.
    """
    body = {"name": name, "role": role, "scopes": scope or [], "days": days_of(days)}
    async with gateway(gateway_url(where, os.environ)) as door:
        made = await door.post("/api/tokens", body)
    if json:
        show_json(made)
        return Exit.OK
    show(made["token"])
    until = f"until {instant(made['expires_at'])}" if made["expires_at"] else FOR_EVER
    say(f"{made['id']} is called {name} and valid {until}; keep it, nobody can show it again")
    return Exit.OK


async def list_tokens(*, where: Where = HERE, json: Json = False) -> int:
    """List the tokens there are and were; none can be seen again.

    Parameters
    ----------
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = (await door.get("/api/tokens"))["items"]
    if json:
        show_json({"items": found})
        return Exit.OK
    rows = [
        (
            token["id"],
            token["name"],
            ", ".join(grant["role"] for grant in token["grants"]),
            ", ".join(token["scopes"]),
            token["status"],
            instant(token["expires_at"]) if token["expires_at"] else FOR_EVER,
            token["created_by"],
        )
        for token in found
    ]
    show_table(COLUMNS, rows, empty="no tokens yet: fastflow token make NAME")
    return Exit.OK


async def revoke(id: str, *, where: Where = HERE, json: Json = False) -> int:
    """Let nobody in with a token any more, from this moment on.

    Parameters
    ----------
    id
        Its id, as `fastflow token list` shows it; not the token.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        done = await door.delete(f"/api/tokens/{segment(id)}")
    if json:
        show_json(done)
    else:
        say(f"{id} is revoked")
    return Exit.OK


def recover(
    *,
    home: HomeOption = None,
    nats_url: str | None = None,
    seed_file: Annotated[Path | None, Parameter(name="--seed-file")] = None,
) -> int:
    """Print a token of an admin that is valid for an hour, when nobody can come in; only where the gateway's files are.

    Parameters
    ----------
    home
        Folder of an installation on this machine; else FASTFLOW_HOME, else the user's data folder.
    nats_url
        URL of the bus; else that of the installation.
    seed_file
        Key of the gateway on the bus; else that of the installation.
    """
    settings = settings_of("gateway", home, nats_url, seed_file)
    env = {**os.environ, "FASTFLOW_NATS_URL": settings.nats_url, "FASTFLOW_HOME": str(find_home(home, os.environ).path)}
    if settings.nats_seed_file is not None:
        env["FASTFLOW_NATS_SEED_FILE"] = str(settings.nats_seed_file)
    command = [sys.executable, "-m", "fastflow_gateway", "recover"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CliError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the gateway cannot be asked")
    show(done.stdout.strip())
    say("valid for an hour; make a token of your own with it: fastflow token make NAME --role admin")
    return Exit.OK


def days_of(text: str) -> int | None:
    """How many days a token is valid; None for ever.

    Raises:
        UsageError: it is no number of days.
    """
    if text == "never":
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(f'--days takes a number of days, or "never"; found {text!r}') from None
