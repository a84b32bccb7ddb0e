"""`events tail`: the log itself."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import msgspec
from cyclopts import Parameter

from fastflow_cli.client import Gateway, gateway
from fastflow_cli.console import show, show_json
from fastflow_cli.errors import NotRunningError
from fastflow_cli.exits import Exit
from fastflow_cli.following import GIVE_UP_AFTER_S, RECONNECT_S
from fastflow_cli.formatting import fact_row
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()


async def tail(
    *,
    type: str | None = None,
    aggregate: str | None = None,
    id: str | None = None,
    lines: Annotated[int, Parameter(name=("--lines", "-n"))] = 20,
    follow: bool = True,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Show the newest facts, then each as it happens.

    Parameters
    ----------
    type
        Only this type: run.requested, or with its version run.requested.v1.
    aggregate
        Only of this kind: run, pipeline, repository, environment, queue.
    id
        Only of this one; needs --aggregate.
    lines
        How many older facts to show first.
    follow
        Go on as facts happen, until Ctrl-C.
    json
        For programs: one JSON object per line.
    """
    wanted = {"type": type, "aggregate": aggregate, "id": id}
    async with gateway(gateway_url(where, os.environ)) as door:
        seq = (await door.get("/api/read-model"))["seq"] if lines == 0 else 0
        if lines:
            for fact in (await door.get("/api/events", tail=lines, **wanted))["items"]:
                shown(fact, json=json)
                seq = fact["seq"]
        if follow:
            async for fact in following(door, seq, wanted):
                shown(fact, json=json)
    return Exit.OK


def shown(fact: dict[str, Any], *, json: bool) -> None:
    """One fact."""
    if json:
        show_json(fact)
    else:
        show(fact_row(fact))


async def following(door: Gateway, after_seq: int, wanted: dict[str, str | None]) -> AsyncIterator[dict[str, Any]]:
    """Facts behind a position as they happen, over cut connections; never ends.

    Raises:
        NotRunningError: the gateway stayed away for a minute.
    """
    last_id, silent_since = str(after_seq), time.monotonic()
    while True:
        try:
            async with door.stream("/api/events/stream", last_id=last_id, **wanted) as events:
                async for event in events:
                    last_id, silent_since = event.id or last_id, time.monotonic()
                    if event.name == "fact":
                        yield msgspec.json.decode(event.data)
        except httpx.HTTPError as exc:
            if time.monotonic() - silent_since > GIVE_UP_AFTER_S:
                raise NotRunningError(f"the gateway at {door.url} stays away: {exc!r}") from exc
        await asyncio.sleep(RECONNECT_S)
