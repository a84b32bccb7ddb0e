"""`run`, `rerun`, `logs`, `cancel`: one run, from its start to its end."""

import os
import sys
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from fastflow_cli import exits
from fastflow_cli.client import Gateway, gateway, segment
from fastflow_cli.console import raw, say, show, show_json
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.following import End, Gap, Line, Partial, follow
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where
from fastflow_cli.unfinished_lines import Piece, Unfinished

Follow = Annotated[bool, Parameter(name=("--follow", "-f"), negative=())]
HERE = Where()


def pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """`name=value` pairs as a mapping; the value may hold further `=`.

    Raises:
        UsageError: a pair has no `=`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(
                f"{option} takes name=value, not {text!r}", fix=f"fastflow run PIPELINE {option} name=value"
            )
        if name in found:
            raise UsageError(f"{option} {name} is given twice")
        found[name] = value
    return found


async def run(
    pipeline: str,
    *,
    param: Annotated[list[str] | None, Parameter(name=("--param", "-p"))] = None,
    env: Annotated[list[str] | None, Parameter(name=("--env", "-e"))] = None,
    config: str | None = None,
    commit: str | None = None,
    priority: int | None = None,
    key: str | None = None,
    follow: Follow = False,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Run a pipeline; with --follow show its output and end as it ends.

    Parameters
    ----------
    pipeline
        Its name: the folder in the repository.
    param
        A parameter, name=value; may be given several times.
    env
        An environment variable, name=value; may be given several times.
    config
        Id of one of the pipeline's schedules: the run deviates as that schedule does.
    commit
        Full commit id to run instead of the head of the repository.
    priority
        From -1000 to 1000, higher first; what the configuration or the pipeline says unless it is given.
    key
        Idempotency key: asking twice with the same key is asking once.
    follow
        Show the output and end with the run's exit code.
    json
        For programs; with --follow one JSON object per line.
    """
    more = {"commit": commit or None, "run_config_id": config or None, "priority": priority}
    given = {name: value for name, value in more.items() if value is not None}
    body = {"params": pairs("-p", param), "env": pairs("-e", env), **given}
    async with gateway(gateway_url(where, os.environ)) as door:
        accepted = await door.post(f"/api/pipelines/{segment(pipeline)}/run", body, key=key)
        return await _accepted(door, accepted["id"], accepted, follow=follow, json=json)


async def rerun(
    run_id: str,
    *,
    same_commit: Annotated[bool, Parameter(name="--same-commit", negative=())] = False,
    key: str | None = None,
    follow: Follow = False,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Run once more what is over, with the same params and variables, at the head's code.

    Parameters
    ----------
    run_id
        Id of the run to repeat.
    same_commit
        At the code that it ran.
    key
        Idempotency key: asking twice with the same key is asking once.
    follow
        Show the output and end with the new run's exit code.
    json
        For programs; with --follow one JSON object per line.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        at = "true" if same_commit else None
        accepted = await door.post(f"/api/runs/{segment(run_id)}/retry", None, key=key, same_commit=at)
        return await _accepted(door, accepted["id"], accepted, follow=follow, json=json)


async def _accepted(door: Gateway, run_id: str, answer: Any, *, follow: bool, json: bool) -> Exit:
    """Say which run it is; with `follow` show it to its end."""
    if json:
        show_json(answer)
    elif follow:
        say(f"run {run_id}")
    else:
        show(run_id)
        say(f"fastflow logs {run_id} --follow")
    return await until_end(door, run_id, json=json) if follow else Exit.OK


async def until_end(door: Gateway, run_id: str, *, json: bool) -> Exit:
    """Show the output of a run until it ends; how it ended is the exit code."""
    screen = Unfinished(terminal=sys.stdout.isatty() and sys.stderr.isatty())
    async for news in follow(door, run_id):
        match news:
            case _ if json:
                show_json({"kind": type(news).__name__.lower(), **msgspec.to_builtins(news)})
            case Line():
                write(screen.line(news))
            case Partial():
                write(screen.part(news))
            case Gap():
                write(screen.settled())
                say(f"… {news.bytes} bytes are missing here …", style="yellow")
            case End():
                write(screen.settled())
                sys.stdout.flush()
                say(news.in_words, style=colour(news.status))
        if isinstance(news, End):
            return exits.of_run(news.status)
    raise AssertionError("a followed run ends")


def write(pieces: list[Piece]) -> None:
    """Write bytes of the script, each where it wrote them."""
    for piece in pieces:
        raw(piece.data, stderr=piece.stream == "stderr")


def colour(status: str) -> str:
    """How a status looks."""
    return {"succeeded": "green", "failed": "red", "cancelled": "yellow", "rejected": "red"}.get(status, "cyan")


async def logs(
    run_id: str,
    *,
    follow: Follow = False,
    tail: int | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    lines: int | None = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Show what a run wrote.

    Parameters
    ----------
    run_id
        Its id, as `fastflow runs` shows it.
    follow
        Go on until the run ends, and end with its exit code.
    tail
        Only the last lines, that many.
    from_
        From this line on, however far in: a number, or attempt.number.
    lines
        At most so many lines.
    json
        For programs: one JSON object per line.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        if follow:
            return await until_end(door, run_id, json=json)
        path = f"/api/runs/{segment(run_id)}/logs"
        if tail is not None:
            page = await door.get(path, tail=tail)
            for item in [*page["items"], *page.get("unfinished", ())][:lines]:
                show_line(item, json=json)
            return Exit.OK
        whence = {"from": from_} if from_ else {}
        async for item in door.items(path, at_most=lines, beside="unfinished", **whence):
            show_line(item, json=json)
    return Exit.OK


def show_line(item: dict[str, Any], *, json: bool) -> None:
    """One line of a page of output."""
    if json:
        show_json(item)
    elif item.get("stream") is None:
        say(f"… {item.get('missing_bytes', 0)} bytes are missing here …", style="yellow")
    else:
        line = msgspec.convert(item, Partial) if item.get("partial") else msgspec.convert(item, Line)
        raw(line.raw(), stderr=line.stream == "stderr")


async def cancel(run_id: str, *, why: str = "", where: Where = HERE, json: Json = False) -> int:
    """End a run for good.

    Parameters
    ----------
    run_id
        Its id.
    why
        A reason, kept with the run.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        accepted = await door.post(f"/api/runs/{segment(run_id)}/cancel", None, why=why or None)
    if json:
        show_json(accepted)
    else:
        say(f"asked for the end of run {run_id}")
    return Exit.OK
