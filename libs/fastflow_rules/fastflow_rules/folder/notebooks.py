"""What a `main.ipynb` says of itself, and why it could not be executed; pure.

Only what can be known without executing it: that it is a notebook of today's format, that it is written in Python,
and that what its cells say of their retries can be.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from fastflow_events.message import Statement
from msgspec import Struct

from fastflow_rules.definition import Definition
from fastflow_rules.definition.fields import CELL
from fastflow_rules.definition.problem import At, Report
from fastflow_rules.folder.reasons import (
    NoCells,
    NotANotebook,
    OfCell,
    OldNotebook,
    OtherFormat,
    OtherLanguage,
    PythonTooOld,
    SeveralBlocks,
)
from fastflow_rules.folder.remarks import CellsTooMany, RetriesUnused
from fastflow_rules.folder.requirements import script_block

FORMAT = 4
_PYTHON = {"python", "ipython"}
_OLDEST = (3, 10)
_VERSION = re.compile(r"(\d+)\.(\d+)")


class Notebook(Struct, frozen=True, kw_only=True):
    """A notebook as far as it matters before it runs."""

    code_cells: int = 0
    block: str = ""
    """Text of the one code cell that names packages (PEP 723); empty without."""
    errors: tuple[Statement, ...] = ()
    """Why it cannot be executed."""


def read_notebook(content: bytes, path: str) -> Notebook:
    """Judge the content of a file."""
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Notebook(errors=(NotANotebook(path, str(error)),))
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        older = isinstance(found, dict) and "worksheets" in found
        return Notebook(errors=(OldNotebook(path) if older else NoCells(path),))
    errors = _format(found, path)
    cells = [cell for cell in found["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    for number, cell in enumerate(cells, start=1):
        errors += [OfCell(path, number, problem) for problem in _retries(cell)]
    blocks = [text for text in map(_text, cells) if script_block(text)]
    if len(blocks) > 1:
        errors.append(SeveralBlocks(path, len(blocks)))
    return Notebook(code_cells=len(cells), block=blocks[0] if len(blocks) == 1 else "", errors=tuple(errors))


def unfit(definition: Definition, notebook: Notebook) -> tuple[list[Statement], list[Statement]]:
    """Why a definition cannot be a notebook's, and what of it will not have the effect one may expect."""
    errors: list[Statement] = []
    warnings: list[Statement] = []
    version = _VERSION.match(definition.python or "")
    if version and (int(version[1]), int(version[2])) < _OLDEST:
        errors.append(PythonTooOld(str(definition.python)))
    if len(definition.cells) > notebook.code_cells:
        warnings.append(CellsTooMany(len(definition.cells), notebook.code_cells))
    if definition.retry_attempts:
        warnings.append(RetriesUnused())
    return errors, warnings


def _format(notebook: Mapping[str, Any], path: str) -> list[Statement]:
    version = notebook.get("nbformat")
    errors: list[Statement] = []
    if version != FORMAT:
        errors.append(OtherFormat(path, repr(version), FORMAT))
    metadata = notebook.get("metadata")
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        name = metadata.get(part) if isinstance(metadata, dict) else None
        language = name.get(key) if isinstance(name, dict) else None
        if isinstance(language, str) and language.lower() not in {*_PYTHON, ""}:
            errors.append(OtherLanguage(path, language))
            break
    return errors


def _retries(cell: Mapping[str, Any]) -> list[Statement]:
    metadata = cell.get("metadata")
    own = metadata.get("fastflow") if isinstance(metadata, dict) else None
    if own is None:
        return []
    report = Report()
    CELL.read(own, At(report, "metadata.fastflow"))
    return [problem.statement for problem in report.problems]


def _text(cell: Mapping[str, Any]) -> str:
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else ""
