"""`schedules list|add|remove|pause|resume|next`: when pipelines run by themselves."""

import os
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from fastflow_cli.client import Gateway, gateway, segment
from fastflow_cli.commands.runs import pairs
from fastflow_cli.console import say, show, show_json, show_table
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import duration, instant
from fastflow_cli.instants import moment, seconds, wire
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
COLUMNS = ("pipeline", "schedule", "from", "when", "zone", "state", "next")
Params = Annotated[list[str] | None, Parameter(name=("--param", "-p"))]


async def list_schedules(pipeline: str | None = None, *, where: Where = HERE, json: Json = False) -> int:
    """List schedules with their next fires: those of the files and those that were set here.

    Parameters
    ----------
    pipeline
        Only of this one.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        names = [pipeline] if pipeline else [item["name"] async for item in door.items("/api/pipelines")]
        found = [item for name in names for item in (await door.get(_path(name)))["items"]]
    if json:
        show_json({"items": found})
        return Exit.OK
    show_table(COLUMNS, [schedule_row(item) for item in found], empty="no schedules: fastflow schedules add --help")
    return Exit.OK


async def add(
    pipeline: str,
    name: str,
    *,
    cron: str | None = None,
    every: str | None = None,
    at: str | None = None,
    timezone: str = "UTC",
    start: str | None = None,
    end: str | None = None,
    catchup: Literal["skip", "latest", "all"] = "latest",
    within: str | None = None,
    jitter: str | None = None,
    config: str | None = None,
    param: Params = None,
    priority: int | None = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Let a pipeline run at these times, beside what its file says; a schedule of this name is replaced.

    Parameters
    ----------
    pipeline
        Its name.
    name
        What the schedule is called.
    cron
        A crontab, as in "*/15 8-18 * * 1-5".
    every
        A span, as in 90s, 15m or 1d.
    at
        One single instant.
    timezone
        Of the crontab.
    start
        Not before; an interval counts from here.
    end
        Not after; a bare date includes the whole day.
    catchup
        What becomes of fires that could not happen in time.
    within
        Older ones are given up, as in 1h.
    jitter
        Each fire is late by up to this span.
    config
        Id of a run configuration of the pipeline.
    param
        A parameter, name=value; may be given several times.
    priority
        From -1000 to 1000; else the pipeline's.
    json
        For programs.
    """
    if sum(value is not None for value in (cron, every, at)) != 1:
        fix = f'fastflow schedules add {pipeline} {name} --cron "0 3 * * *"'
        raise UsageError("say exactly one of --cron, --every and --at", fix=fix)
    body: dict[str, Any] = {
        "cron": cron,
        "interval_s": seconds("--every", every) if every else None,
        "at": wire(moment("--at", at)) if at else None,
        "timezone": timezone,
        "start": wire(moment("--start", start)) if start else None,
        "end": wire(moment("--end", end, end_of_day=True)) if end else None,
        "catchup": {"policy": catchup, **({"within_s": seconds("--within", within)} if within else {})},
        "jitter_s": seconds("--jitter", jitter) if jitter else 0.0,
        "run_config_id": config,
        "params": pairs("-p", param),
        "priority": priority,
    }
    async with gateway(gateway_url(where, os.environ)) as door:
        made = await door.put(_path(pipeline, name), body)
    if json:
        show_json(made)
        return Exit.OK
    following = instant(made["next"][0]) if made["next"] else "never"
    say(f"schedule {name} of {pipeline} fires next: {following}")
    return Exit.OK


async def remove(pipeline: str, name: str, *, where: Where = HERE) -> int:
    """Forget a schedule that was set here; one of a file is removed in the file, or paused.

    Parameters
    ----------
    pipeline
        Its name.
    name
        What the schedule is called.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        await _must_be_ours(door, pipeline, name)
        await door.delete(_path(pipeline, name))
    say(f"schedule {name} of {pipeline} is removed")
    return Exit.OK


async def pause(pipeline: str, name: str, *, where: Where = HERE) -> int:
    """Leave the fires of a schedule out until it is resumed; they are not made up for.

    Parameters
    ----------
    pipeline
        Its name.
    name
        What the schedule is called; `default` where the file has only one.
    """
    return await _hold("pause", pipeline, name, where)


async def resume(pipeline: str, name: str, *, where: Where = HERE) -> int:
    """Let a schedule fire again.

    Parameters
    ----------
    pipeline
        Its name.
    name
        What the schedule is called; `default` where the file has only one.
    """
    return await _hold("resume", pipeline, name, where)


async def upcoming(
    pipeline: str, name: str, *, count: int = 5, until: str | None = None, where: Where = HERE, json: Json = False
) -> int:
    """Tell the next fires of a schedule.

    Parameters
    ----------
    pipeline
        Its name.
    name
        What the schedule is called; `default` where the file has only one.
    count
        How many at most, up to 1000.
    until
        None after this instant.
    json
        For programs.
    """
    last = wire(moment("--until", until, end_of_day=True)) if until else None
    async with gateway(gateway_url(where, os.environ)) as door:
        found = (await door.get(f"{_path(pipeline, name)}/next", count=count, until=last))["items"]
    if json:
        show_json({"items": found})
        return Exit.OK
    for at in found:
        show(instant(at))
    if not found:
        say("it does not fire: it is paused, disabled, or its time is over")
    return Exit.OK


def schedule_row(item: dict[str, Any]) -> tuple[str, ...]:
    """One schedule."""
    when = item["cron"] or (f"every {duration(item['interval_s'])}" if item["interval_s"] else instant(item["at"]))
    wider = [by for by in item["paused_by"] if by != "schedule"]
    state = f"paused ({wider[0]})" if wider else "paused" if item["paused"] else "on" if item["enabled"] else "disabled"
    what = f"restart {when}" if item["does"] == "restart" else when
    zone = item["timezone"] if item["cron"] else ""
    following = instant(item["next"][0]) if item["next"] else ""
    return (item["pipeline"], item["name"], item["source"], what, zone, state, following)


async def _hold(verb: str, pipeline: str, name: str, where: Where) -> int:
    async with gateway(gateway_url(where, os.environ)) as door:
        await door.post(f"{_path(pipeline, name)}/{verb}")
    say(f"schedule {name} of {pipeline} is {verb}d")
    return Exit.OK


async def _must_be_ours(door: Gateway, pipeline: str, name: str) -> None:
    """Raise for a schedule of a file: only a push removes it."""
    for item in (await door.get(_path(pipeline)))["items"]:
        if item["name"] == name and item["source"] == "file":
            fix = f"fastflow schedules pause {pipeline} {name}"
            raise UsageError(f"{name} is said by the pipeline.json of {pipeline}; a push removes it", fix=fix)


def _path(pipeline: str, name: str | None = None) -> str:
    path = f"/api/pipelines/{segment(pipeline)}/schedules"
    return path if name is None else f"{path}/{segment(name)}"
