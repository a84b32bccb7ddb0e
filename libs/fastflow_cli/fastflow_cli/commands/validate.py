"""`validate`: judge the pipelines of a folder exactly as the service would."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fastflow_cli.checking import Checked, check
from fastflow_cli.console import say, show_json, show_table
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.options import Json


def validate(
    folder: Path = Path(), *, strict: Annotated[bool, Parameter(negative=())] = False, json: Json = False
) -> int:
    """Check every pipeline of a folder before pushing it; ends with 1 when one is wrong.

    Inside a Git work tree what Git ignores is not looked at.

    Parameters
    ----------
    folder
        A repository, the folder of its pipelines, or one pipeline.
    strict
        Warnings count as errors.
    json
        For programs.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    found = check(folder.resolve())
    wrong = [each for each in found if each.errors or (strict and each.warnings)]
    if json:
        show_json({"items": found, "valid": not wrong})
        return Exit.FAILED if wrong else Exit.OK
    rows = [(each.pipeline, "wrong" if each in wrong else "right", line) for each in found for line in _lines(each)]
    show_table(("pipeline", "is", "because"), rows, empty=f"no folder in {folder} holds a main.py")
    if wrong:
        say(f"{len(wrong)} of {len(found)} cannot pass")
    return Exit.FAILED if wrong else Exit.OK


def _lines(each: Checked) -> list[str]:
    return [*each.errors, *(f"warning: {warning}" for warning in each.warnings)] or [""]
