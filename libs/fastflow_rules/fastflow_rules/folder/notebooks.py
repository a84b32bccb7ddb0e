"""What a `main.ipynb` says of itself, and why it could not be executed; pure.

Only what can be known without executing it: that it is a notebook of today's format, that it is written in Python,
and that what its cells say of their retries can be.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from fastflow_rules.definition import Definition
from fastflow_rules.definition.fields import CELL
from fastflow_rules.definition.problem import At, Report
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
    errors: tuple[str, ...] = ()
    """Why it cannot be executed, one sentence each."""


def read_notebook(content: bytes, path: str) -> Notebook:
    """Judge the content of a file."""
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Notebook(errors=(f"{path} is no notebook: {error}",))
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        older = isinstance(found, dict) and "worksheets" in found
        how = "; it is of an old format: open and save it in Jupyter once" if older else ": it has no cells"
        return Notebook(errors=(f"{path} is no notebook{how}",))
    errors = _format(found, path)
    cells = [cell for cell in found["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    for number, cell in enumerate(cells, start=1):
        errors += _retries(cell, f"{path}, code cell {number}")
    blocks = [text for text in map(_text, cells) if script_block(text)]
    if len(blocks) > 1:
        errors.append(f"{path}: {len(blocks)} cells name packages (# /// script); only one may")
    return Notebook(code_cells=len(cells), block=blocks[0] if len(blocks) == 1 else "", errors=tuple(errors))


def unfit(definition: Definition, notebook: Notebook) -> tuple[list[str], list[str]]:
    """Why a definition cannot be a notebook's, and what of it will not have the effect one may expect."""
    errors, warnings = [], []
    version = _VERSION.match(definition.python or "")
    if version and (int(version[1]), int(version[2])) < _OLDEST:
        errors.append(f"notebooks need Python 3.10 or newer, and python_version is {definition.python}")
    if len(definition.cells) > notebook.code_cells:
        warnings.append(f"cells says something of {len(definition.cells)} code cells; there are {notebook.code_cells}")
    if definition.retry_attempts:
        warnings.append("retry_attempts does not count for notebooks: their cells are tried again, see cells")
    return errors, warnings


def _format(notebook: Mapping[str, Any], path: str) -> list[str]:
    version = notebook.get("nbformat")
    errors = []
    if version != FORMAT:
        errors.append(f"{path} is of notebook format {version!r}; this release executes format {FORMAT}")
    metadata = notebook.get("metadata")
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        name = metadata.get(part) if isinstance(metadata, dict) else None
        language = name.get(key) if isinstance(name, dict) else None
        if isinstance(language, str) and language.lower() not in {*_PYTHON, ""}:
            errors.append(f"{path} is written in {language}; only Python can be executed")
            break
    return errors


def _retries(cell: Mapping[str, Any], where: str) -> list[str]:
    metadata = cell.get("metadata")
    own = metadata.get("fastflow") if isinstance(metadata, dict) else None
    if own is None:
        return []
    report = Report()
    CELL.read(own, At(report, "metadata.fastflow"))
    return [f"{where}, {problem}" for problem in report.problems]


def _text(cell: Mapping[str, Any]) -> str:
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else ""
