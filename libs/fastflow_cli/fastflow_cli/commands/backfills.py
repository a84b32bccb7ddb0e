"""`backfill preview|start|status|cancel`: runs for instants of the past, as if a schedule had fired."""

import os
from typing import Annotated, Any

from cyclopts import Parameter
from fastflow_events.instants import later

from fastflow_cli.client import gateway, segment
from fastflow_cli.commands.runs import pairs
from fastflow_cli.console import say, show, show_json
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import instant
from fastflow_cli.instants import moment, wire
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
SHOWN = 20
Everything = Annotated[bool, Parameter(name="--everything", negative=())]
Params = Annotated[list[str] | None, Parameter(name=("--param", "-p"))]


async def preview(
    pipeline: str,
    schedule: str,
    *,
    since: str,
    until: str,
    everything: Everything = False,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Tell which instants a backfill would run for; nothing is started.

    Parameters
    ----------
    pipeline
        Its name.
    schedule
        Whose instants; `default` where the file has only one.
    since
        The first instant that may be among them, or a date.
    until
        The last one; a bare date includes the whole day.
    everything
        Also instants whose own run succeeded.
    json
        For programs.
    """
    body = body_of(schedule, since=since, until=until, everything=everything) | {"preview": True}
    async with gateway(gateway_url(where, os.environ)) as door:
        found = await door.post(_path(pipeline), body)
    if json:
        show_json(found)
        return Exit.OK
    instants = [each["at"] for each in found["instants"]]
    for at in instants[:SHOWN]:
        show(instant(at))
    if len(instants) > SHOWN:
        say(f"… and {len(instants) - SHOWN} more, the last one {instant(instants[-1])}")
    say(f"{len(instants)} runs" if instants else "nothing is missing in this range")
    return Exit.OK


async def start(
    pipeline: str,
    schedule: str,
    *,
    since: str,
    until: str,
    everything: Everything = False,
    concurrency: int = 1,
    param: Params = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Run a pipeline for each instant of a schedule in a range, oldest first.

    Parameters
    ----------
    pipeline
        Its name.
    schedule
        Whose instants; `default` where the file has only one.
    since
        The first instant that may be among them, or a date.
    until
        The last one; a bare date includes the whole day.
    everything
        Also instants whose own run succeeded.
    concurrency
        How many of its runs may be open at once.
    param
        A parameter, name=value; may be given several times.
    json
        For programs.
    """
    body = body_of(schedule, since=since, until=until, everything=everything)
    body |= {"concurrency": concurrency, "params": pairs("-p", param)}
    async with gateway(gateway_url(where, os.environ)) as door:
        made = await door.post(_path(pipeline), body)
    if json:
        show_json(made)
    elif made["id"] is None:
        say("nothing is missing in this range; nothing was started")
    else:
        show(made["id"])
        say(f"{len(made['instants'])} runs; fastflow backfill status {made['id']}")
    return Exit.OK


async def status(backfill: str, *, where: Where = HERE, json: Json = False) -> int:
    """Tell how far a backfill is.

    Parameters
    ----------
    backfill
        Its id.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = await door.get(f"/api/backfills/{segment(backfill)}")
    if json:
        show_json(found)
        return Exit.OK
    for line in progress(found):
        show(line)
    return Exit.OK


async def cancel(backfill: str, *, why: str | None = None, where: Where = HERE) -> int:
    """Start no more of its runs, and end the open ones.

    Parameters
    ----------
    backfill
        Its id.
    why
        A reason, for those who ask later.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        await door.post(f"/api/backfills/{segment(backfill)}/cancel", why=why)
    say(f"backfill {backfill} is cancelled")
    return Exit.OK


def body_of(schedule: str, *, since: str, until: str, everything: bool) -> dict[str, Any]:
    """The body of a backfill; both ends are included.

    Raises:
        UsageError: the range is empty.
    """
    first, last = moment("--since", since), moment("--until", until, end_of_day=True)
    if first > last:
        raise UsageError("--since is later than --until", fix=f"… --since {until} --until {since}")
    after = later(first, -1e-6)
    return {"schedule": schedule, "after": wire(after), "until": wire(last), "only_missing": not everything}


def progress(found: dict[str, Any]) -> list[str]:
    """How far a backfill is: a line for all of it, and one per status."""
    by_status = found["by_status"]
    asked, wanted = sum(by_status.values()), found["total"]
    sentence = f"{asked} of {wanted} runs were asked for" + (", it is cancelled" if found["cancelled"] else "")
    return [sentence, *(f"{number:>7} {status}" for status, number in sorted(by_status.items()))]


def _path(pipeline: str) -> str:
    return f"/api/pipelines/{segment(pipeline)}/backfills"
