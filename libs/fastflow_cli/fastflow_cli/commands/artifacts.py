"""`artifacts`: the files a run left behind."""

import os
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated

from cyclopts import Parameter

from fastflow_cli.client import Answer, Gateway, gateway, segment
from fastflow_cli.console import say, show, show_json, show_table
from fastflow_cli.errors import CliError, UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import Json, Where

HERE = Where()


async def artifacts(
    run_id: str,
    *,
    get: Annotated[list[str] | None, Parameter(name=("--get", "-g"))] = None,
    to: Path = Path(),
    attempt: int | None = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Show the files that a run left behind; with --get bring them here.

    Parameters
    ----------
    run_id
        Its id, as `fastflow runs` shows it.
    get
        A file, or a pattern such as `'*'` or `'plots/*.png'`; may be given several times.
    to
        Folder to put them into; else the one you are in.
    attempt
        Only those of this attempt; else of the newest one that left each.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        path = f"/api/runs/{segment(run_id)}/artifacts"
        found = (await door.get(path, attempt=attempt))["items"]
        if get is None:
            _list(found, json=json)
            return Exit.OK
        for item in chosen(found, get):
            target = place_of(to, item["path"])
            await _fetch(door, item, target)
            if json:
                show_json({**item, "file": str(target)})
            else:
                show(str(target))
    return Exit.OK


def chosen(found: list[Answer], patterns: list[str]) -> list[Answer]:
    """Of each file that matches a pattern the one of the newest attempt.

    Raises:
        UsageError: nothing matches one of them.
    """
    newest: dict[str, Answer] = {}
    for item in sorted(found, key=lambda item: int(item["attempt"])):
        newest[item["path"]] = item
    for pattern in patterns:
        if not any(path == pattern or fnmatchcase(path, pattern) for path in newest):
            raise UsageError(f"the run left nothing behind that is called {pattern}", fix="fastflow artifacts RUN")
    return [
        item for path, item in newest.items() if any(path == wanted or fnmatchcase(path, wanted) for wanted in patterns)
    ]


def place_of(folder: Path, path: str) -> Path:
    """Where a file goes; whoever named it does not get to leave the folder.

    Raises:
        CliError: its name would.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path or (os.sep != "/" and os.sep in path):
        raise CliError(f"a file called {path!r} is not written here")
    return folder.joinpath(*parts)


async def _fetch(door: Gateway, item: Answer, target: Path) -> None:
    """Bring a file here whole, or not at all."""
    digest, part = sha256(), target.with_name(f".{sha256(target.name.encode()).hexdigest()[:16]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        async with door.download(item["url"]) as pieces:
            with part.open("wb") as file:
                async for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
        if digest.hexdigest() != item["sha256"]:
            raise CliError(f"{item['path']} came damaged, so it is not kept")
        part.replace(target)
    except OSError as exc:
        raise CliError(f"{target} cannot be written: {exc.strerror or exc}") from exc
    finally:
        part.unlink(missing_ok=True)


def _list(found: list[Answer], *, json: bool) -> None:
    if json:
        show_json(found)
        return
    columns = ("attempt", "bytes", "until", "file")
    rows = [(str(f["attempt"]), str(f["size_bytes"]), f["expires_at"][:10], _printable(f["path"])) for f in found]
    show_table(columns, rows, empty="it left nothing behind")
    if rows:
        say("fastflow artifacts RUN --get FILE")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
