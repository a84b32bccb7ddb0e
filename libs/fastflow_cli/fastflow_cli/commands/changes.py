"""`changes`: what differs since a pipeline last worked."""

import os
from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import Parameter

from fastflow_cli.client import gateway, segment
from fastflow_cli.console import show, show_json
from fastflow_cli.exits import Exit
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()
_WIDTH = 78
_NAME = 11


async def changes(
    run_id: str,
    *,
    against: Annotated[str, Parameter(name=("--with", "-w"))] = "last_success",
    diff: bool = False,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Show what differs between a run and the last success before it.

    Parameters
    ----------
    run_id
        Its id, as `fastflow runs` shows it.
    against
        Another run of the same pipeline to compare it with.
    diff
        Show how files differ line by line, too.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = await door.get(f"/api/runs/{segment(run_id)}/changes", **{"with": against})
    if json:
        show_json(found)
        return Exit.OK
    for line in lines_of(found, diff=diff):
        show(line)
    return Exit.OK


def lines_of(found: dict[str, Any], *, diff: bool = False) -> Iterator[str]:
    """The answer in lines for people, the verdict first; only what a script wrote may be wider than 80 columns."""
    against = found["against"]
    if against is None:
        yield found["verdict"]
        return
    yield f"against {against['id']}, {against['status']}, {against['requested_at'][:19].replace('T', ' ')}Z"
    yield found["verdict"]
    for commit in found["commits"]:
        yield _row("commit", f"{commit['commit'][:8]} {commit['subject']}")
    if found["files"] is None:
        yield _row("files", "the code of one of them is not stored any more")
    for file in found["files"] or ():
        yield _row("file", f"{file['path']} {_size(file)}")
        if diff and file["diff"]:
            yield from (f"  {line}" for line in file["diff"].split("\n"))
    for name, key in (("package", "packages"), ("param", "params"), ("secret", "secrets"), ("setting", "settings")):
        yield from (
            _row(name, f"{each['name']} {_value(each['was'])} -> {_value(each['now'])}") for each in found[key] or ()
        )
    yield from (_row("variable", f"{each['name']} {each['change']}") for each in found["variables"])
    for number in found["numbers"]:
        if number["was"] is not None or number["now"] is not None:
            yield _row("took", f"{number['name']} {_value(number['was'])} | {_value(number['now'])}")
    yield from _output(found)


def _output(found: dict[str, Any]) -> Iterator[str]:
    output = found["output"]
    if output is None:
        yield _row("output", "says the same" if found["output_compared"] else f"same for {found['equal_lines']} lines")
        return
    yield _row("output", f"differs behind {found['equal_lines']} lines that say the same:")
    for sign, side, at in (("-", "before", output["before_line"]), ("+", "after", output["after_line"])):
        line = next((each for each in output[side] if each["n"] == at), None)
        yield f"{sign} {line['n']}: {line['line_text']}" if line else f"{sign} nothing more"


def _row(name: str, text: str) -> str:
    row = f"{name:<{_NAME}} {text}"
    return row if len(row) <= _WIDTH else f"{row[: _WIDTH - 1]}…"


def _size(file: dict[str, Any]) -> str:
    if file["added_lines"] is None:
        return str(file["change"])
    return f"{file['change']} +{file['added_lines']} -{file['removed_lines']}"


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)
