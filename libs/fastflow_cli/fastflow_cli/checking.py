"""Pipelines on disk, as a push would bring them: the same rules as in the service, on files instead of Git objects."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastflow_events.message import Message, Statement, all_retold
from fastflow_rules.definition import MAX_BYTES, RepositoryFile, parse_repository
from fastflow_rules.definition.repository import NAME
from fastflow_rules.folder import Entry, Folder, Invalid, inspect, is_name, is_pipeline, no_name, wanted
from fastflow_rules.folder.reasons import LongFile
from msgspec import Struct

ENTRY_POINTS = ("main.py", "main.ipynb")
GIT_WITHIN_S = 60.0


class Checked(Struct, frozen=True, kw_only=True):
    """One pipeline, or the file that speaks for all of them."""

    pipeline: str
    errors: tuple[str, ...] = ()
    errors_messages: tuple[Message, ...] = ()
    warnings: tuple[str, ...] = ()
    warnings_messages: tuple[Message, ...] = ()


def checked(pipeline: str, errors: Sequence[Statement] = (), warnings: Sequence[Statement] = ()) -> Checked:
    """The verdict, with the codes of its sentences."""
    return Checked(
        pipeline=pipeline,
        errors=tuple(map(str, errors)),
        errors_messages=tuple(error.message for error in errors),
        warnings=tuple(map(str, warnings)),
        warnings_messages=tuple(warning.message for warning in warnings),
    )


def check(folder: Path) -> list[Checked]:
    """Judge every pipeline in a folder, by name; the folder itself when it is one."""
    if any((folder / entry).is_file() for entry in ENTRY_POINTS):
        rules, problems = _rules(folder.parent)
        return [*problems, *filter(None, [_judge(folder, rules)])]
    rules, problems = _rules(folder)
    folders = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    return [*problems, *(found for each in folders if not each.is_symlink() and (found := _judge(each, rules)))]


def _rules(folder: Path) -> tuple[RepositoryFile | None, list[Checked]]:
    """What `fastflow.json` says, and what is wrong with it."""
    file = folder / NAME
    if not file.is_file() or file.is_symlink():
        return None, []
    if (size := file.stat().st_size) > MAX_BYTES:
        return None, [checked(NAME, [LongFile("it", size, MAX_BYTES)])]
    found = parse_repository(file.read_bytes())
    if isinstance(found, RepositoryFile):
        return found, [checked(NAME, warnings=found.remarks)] if found.warnings else []
    return None, [checked(NAME, [problem.statement for problem in found])]


def _judge(path: Path, rules: RepositoryFile | None) -> Checked | None:
    """The pipeline in a folder; None when it is none."""
    folder = Folder(name=path.name, tree="")
    entries = entries_of(path)
    if not is_pipeline(entries):
        return None
    if not is_name(path.name):
        return checked(path.name, [no_name(path.name)])
    contents: dict[str, bytes] = {}
    while missing := wanted(folder, entries, contents):
        contents |= _read(path, missing)
    judged = inspect(folder, entries, contents, rules)
    if isinstance(judged, Invalid):
        return checked(path.name, judged.reasons)
    return checked(path.name, warnings=all_retold(judged.definition.warnings, judged.definition.warnings_messages))


def entries_of(folder: Path) -> Sequence[Entry]:
    """What Git would store of a folder: everything it does not ignore; outside of a work tree every file."""
    paths = _known_to_git(folder)
    if paths is None:
        paths = [str(path.relative_to(folder)) for path in _walk(folder)]
    found = []
    for path in sorted(set(paths)):
        file = folder / path
        if file.is_symlink():
            size = len(os.fsencode(file.readlink()))
            found.append(Entry(path=path, mode="120000", oid=path, size=size))
        elif file.is_dir():
            found.append(Entry(path=path, mode="160000", oid=path))  # Git lists a folder only as a submodule
        elif file.is_file():
            state = file.stat()
            mode = "100755" if state.st_mode & 0o100 else "100644"
            found.append(Entry(path=path, mode=mode, oid=path, size=state.st_size))
    return found


def _read(folder: Path, entries: Sequence[Entry]) -> Mapping[str, bytes]:
    return {
        entry.path: os.fsencode((folder / entry.path).readlink())
        if entry.is_link
        else (folder / entry.path).read_bytes()
        for entry in entries
    }


def _known_to_git(folder: Path) -> list[str] | None:
    command = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=GIT_WITHIN_S)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return [os.fsdecode(path) for path in done.stdout.split(b"\0") if path] if done.returncode == 0 else None


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", "__pycache__")]
        here = Path(root)
        found += [here / name for name in files]
        found += [here / name for name in folders if (here / name).is_symlink()]
    return found
