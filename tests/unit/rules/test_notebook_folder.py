"""A folder with a notebook: what it needs, and why it cannot be executed."""

import hashlib
import json
from typing import Any

from fastflow_rules.folder import Entry, Folder, Invalid, Judged, Runnable, inspect, wanted

FOLDER = Folder(name="report", tree="1" * 40)
PYTHON = {"kernelspec": {"name": "anything", "language": "python"}}


def notebook(*cells: tuple[str, dict[str, Any]] | str, **other: Any) -> str:
    pairs: list[tuple[str, dict[str, Any]]] = [cell if isinstance(cell, tuple) else (cell, {}) for cell in cells]
    written: list[dict[str, Any]] = [
        {"cell_type": "code", "source": source, "metadata": own, "outputs": [], "execution_count": None}
        for source, own in pairs
    ]
    return json.dumps({"cells": written, "metadata": PYTHON, "nbformat": 4, "nbformat_minor": 5, **other})


def judged(files: dict[str, str], pipeline: dict[str, Any] | None = None) -> Judged:
    texts = {**files, **({"pipeline.json": json.dumps(pipeline)} if pipeline else {})}
    contents = {path: text.encode() for path, text in texts.items()}
    entries = [
        Entry(path=p, mode="100644", oid=hashlib.sha1(c, usedforsecurity=False).hexdigest(), size=len(c))
        for p, c in contents.items()
    ]
    read: dict[str, bytes] = {}
    while more := wanted(FOLDER, entries, read):
        read |= {entry.path: contents[entry.path] for entry in more}
    return inspect(FOLDER, entries, read)


def runnable(files: dict[str, str], pipeline: dict[str, Any] | None = None) -> Runnable:
    found = judged(files, pipeline)
    assert isinstance(found, Runnable), found
    return found


def reasons(text: str, pipeline: dict[str, Any] | None = None) -> tuple[str, ...]:
    found = judged({"main.ipynb": text}, pipeline)
    assert isinstance(found, Invalid), found
    return found.errors


def test_a_cell_may_name_the_packages_of_a_notebook() -> None:
    block = '# /// script\n# requires-python = ">=3.12"\n# dependencies = ["polars"]\n# ///\n'
    found = runnable({"main.ipynb": notebook("1", f"{block}import polars"), "requirements.txt": "pandas"})
    assert (found.requirements.source, found.requirements.text) == ("pep723", block)
    assert found.requirements.sha256 == hashlib.sha256(block.encode()).hexdigest()
    assert found.definition.python == ">=3.12"


def test_a_block_in_a_script_beside_it_is_not_the_notebooks() -> None:
    script = '# /// script\n# dependencies = ["polars"]\n# ///\n'
    files = {"main.py": script, "main.ipynb": notebook("1"), "requirements.txt": "pandas"}
    assert runnable(files, {"type": "notebook"}).requirements.text == "pandas\n"
    assert runnable(files).requirements.source == "pep723"


def test_what_is_no_notebook_is_invalid_with_the_reason() -> None:
    assert "is no notebook: Input data was truncated" in reasons("{")[0]
    assert reasons("[]") == ("main.ipynb is no notebook: it has no cells",)
    assert "old format" in reasons('{"worksheets": [], "nbformat": 3}')[0]
    assert "format 5" in reasons(notebook("1", nbformat=5))[0]
    assert reasons(notebook("1", metadata={"language_info": {"name": "julia"}})) == (
        "main.ipynb is written in julia; only Python can be executed",
    )


def test_a_cell_that_asks_for_what_cannot_be_is_named() -> None:
    text = notebook("1", ("2", {"fastflow": {"retries": -1, "delay_seconds": "soon"}}))
    assert reasons(text) == (
        "main.ipynb, code cell 2, metadata.fastflow.retries: found -1; allowed: a whole number from 0 to 1000",
        'main.ipynb, code cell 2, metadata.fastflow.delay_seconds: found "soon"; allowed: a number from 0 to 1e+09',
    )


def test_two_cells_cannot_both_name_the_packages() -> None:
    block = "# /// script\n# dependencies = []\n# ///\n"
    assert "2 cells name packages" in reasons(notebook(block, block))[0]


def test_a_python_that_is_too_old_for_notebooks_is_refused() -> None:
    assert reasons(notebook("1"), {"python_version": "3.8"}) == (
        "notebooks need Python 3.10 or newer, and python_version is 3.8",
    )


def test_settings_without_effect_are_told() -> None:
    pipeline = {"type": "notebook", "retry_attempts": 2, "cells": [{}, {"retries": 1}]}
    assert runnable({"main.ipynb": notebook("1")}, pipeline).definition.warnings == (
        "cells says something of 2 code cells; there are 1",
        "retry_attempts does not count for notebooks: their cells are tried again, see cells",
    )
    script = runnable({"main.py": ""}, {"cells": [{"retries": 1}]})
    assert script.definition.warnings == ("cells is for notebooks, and this is a script",)


def test_a_notebook_too_large_to_be_read_is_run_and_told() -> None:
    found = runnable({"main.ipynb": notebook("x" * 6_000_000)})
    assert "is not looked into; clear its outputs" in found.definition.warnings[0]
