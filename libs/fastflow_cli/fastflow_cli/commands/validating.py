"""`validate`: read every pipeline.json of a folder as the service would."""

from pathlib import Path

from fastflow_rules.definition import Definition, parse

from fastflow_cli.console import say, show_json, show_table
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.options import Json

ENTRY_POINTS = ("main.py", "main.ipynb")
METADATA = "pipeline.json"


def validate(folder: Path = Path(), *, json: Json = False) -> int:
    """Check the pipeline.json of every pipeline in a folder, before pushing it; ends with 1 when one is wrong.

    Parameters
    ----------
    folder
        A repository, or one pipeline.
    json
        For programs.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    found = [judge(each) for each in folders_in(folder)]
    wrong = sum(bool(errors) for _, errors, _ in found)
    if json:
        show_json({"items": [{"pipeline": n, "errors": e, "warnings": w} for n, e, w in found]})
    else:
        rows = [
            (name, "wrong" if errors else "right", line)
            for name, errors, warnings in found
            for line in [*errors, *(f"warning: {w}" for w in warnings)] or [""]
        ]
        show_table(("pipeline", "is", "because"), rows, empty=f"no folder in {folder} holds a main.py")
        if wrong:
            say(f"{wrong} of {len(found)} cannot run")
    return Exit.FAILED if wrong else Exit.OK


def folders_in(folder: Path) -> list[Path]:
    """The pipelines in a repository, by name; the folder itself when it is one."""
    if any((folder / entry).is_file() for entry in ENTRY_POINTS):
        return [folder.resolve()]
    return sorted(
        each for each in folder.iterdir() if each.is_dir() and any((each / e).is_file() for e in ENTRY_POINTS)
    )


def judge(folder: Path) -> tuple[str, list[str], list[str]]:
    """Name, errors and warnings of one pipeline; without pipeline.json there is nothing to be wrong."""
    metadata = folder / METADATA
    if not metadata.is_file():
        return folder.name, [], []
    read = parse(metadata.read_bytes(), folder=folder.name)
    if isinstance(read, Definition):
        return folder.name, [], list(read.warnings)
    return folder.name, [str(problem) for problem in read], []
