"""`rebuild`: the read model is a fold of the log, and this shows it."""

import asyncio
import os
import signal
import time
from typing import Annotated, Any

from cyclopts import Parameter
from fastflow_events.service.store import delete_store

from fastflow_cli.client import Gateway, gateway
from fastflow_cli.commands.installation import running_state
from fastflow_cli.console import progress, show, show_json, show_table
from fastflow_cli.errors import CliError, NotRunningError
from fastflow_cli.exits import Exit
from fastflow_cli.home import find_home
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
REBUILT_WITHIN_S = 600.0
ASK_EVERY_S = 0.1
HASHES = "/api/read-model"


async def rebuild(
    *, check: Annotated[bool, Parameter(negative=())] = False, where: Where = HERE, json: Json = False
) -> int:
    """Delete the read model of the installation on this machine and let the gateway make it again from the log.

    Prints the hash of every table, before and after, and fails when they differ.

    Parameters
    ----------
    check
        Only hash the tables; works on any gateway.
    json
        For programs.
    """
    if check:
        async with gateway(gateway_url(where, os.environ)) as door:
            show_hashes(await door.get(HASHES), json=json)
        return Exit.OK
    home = find_home(where.home, os.environ)
    state = running_state(home)
    async with gateway(state.url) as door:
        before = await door.get(HASHES)
        delete_store(home.read_model)  # a gateway that has the file open does not notice
        os.kill(state.children["gateway"], signal.SIGTERM)
        with progress("rebuilding the read model"):
            after = await hashes_from(door, before["seq"])
    show_hashes(before, json=json)
    show_hashes(after, json=json)
    if before["seq"] != after["seq"]:
        raise CliError("new facts came meanwhile, so the two cannot be compared", fix="fastflow rebuild")
    if before["sha256"] != after["sha256"]:
        raise CliError("the rebuilt read model differs from the old one", fix="fastflow rebuild --check")
    return Exit.OK


async def hashes_from(door: Gateway, seq: int) -> dict[str, Any]:
    """The hashes of a read model that has come to a stream position.

    Raises:
        NotRunningError: it did not get there in time.
    """
    deadline = time.monotonic() + REBUILT_WITHIN_S
    while True:
        try:
            found = await door.get(HASHES)
            if found["seq"] >= seq:
                return found
        except NotRunningError:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise NotRunningError(f"the read model did not come to seq {seq} in time", fix="fastflow status")
        await asyncio.sleep(ASK_EVERY_S)


def show_hashes(found: dict[str, Any], *, json: bool) -> None:
    """One line per table, and one over all."""
    if json:
        show_json(found)
        return
    show(f"seq {found['seq']}  sha256 {found['sha256']}")
    show_table(("table", "sha256"), list(found["tables"].items()), empty="no tables")
