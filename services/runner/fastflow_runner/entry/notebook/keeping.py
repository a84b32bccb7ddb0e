"""What is left when the driver is gone: the executed notebook, and how far it came."""

import json
import os
import time
from typing import Any

import nbformat

from fastflow_runner.entry.notebook.hiding import Hider
from fastflow_runner.entry.notebook.plan import UnusableError, is_python

MOST_CELLS = 200
"""Cells whose ends are reported one by one."""
_PAUSE_S = 2.0
_SHARE = 10


def read(path: str) -> Any:
    """The notebook at `path`, in the form of today.

    Raises:
        UnusableError: it is no notebook, or none of Python.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnusableError(f"{path} is no notebook: {error}") from error
    if not isinstance(notebook.get("cells"), list):
        raise UnusableError(f"{path} is no notebook: it has no cells")
    if not is_python(notebook):
        raise UnusableError(f"{path} is written in another language than Python")
    return notebook


class Executed:
    """The notebook with what its cells gave, as a file beside the other artifacts."""

    def __init__(self, path: str, notebook: Any, hider: Hider) -> None:
        self._path = path
        self._notebook = notebook
        self._hider = hider
        self._next = 0.0

    def save(self, *, at_once: bool = False) -> str:
        """Write it, if it was not written just now; why that cannot be, or nothing."""
        began = time.monotonic()
        if began < self._next and not at_once:
            return ""
        hidden = type(self._notebook)(self._notebook)
        hidden["cells"] = [self._hidden(cell) for cell in self._notebook["cells"]]
        folder = os.path.dirname(self._path)  # noqa: PTH120 - as the rest of the entry program
        # Not among the artifacts: what is not finished is none.
        temporary = f"{os.path.dirname(folder)}/.{os.urandom(8).hex()}"  # noqa: PTH120
        try:
            text = nbformat.writes(hidden, version=4)
            os.makedirs(os.path.dirname(self._path), exist_ok=True)  # noqa: PTH103, PTH120 - as the rest of the entry program
            with open(temporary, "wb") as file:  # noqa: PTH123
                file.write(text.encode("utf-8", "backslashreplace"))
            os.replace(temporary, self._path)  # noqa: PTH105
        except (OSError, ValueError, TypeError) as error:
            return f"the executed notebook cannot be kept: {error}"
        # A notebook full of pictures is not written over and over again.
        now = time.monotonic()
        self._next = now + max(_PAUSE_S, _SHARE * (now - began))
        return ""

    def _hidden(self, cell: Any) -> Any:
        if cell.get("cell_type") != "code":
            return cell
        copy = type(cell)(cell)
        copy["outputs"] = self._hider.outputs(cell.get("outputs", []))
        return copy


class Progress:
    """A small file that says which cells have ended how, where the notebook is, and why it failed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._cells: list[tuple[int, int, int]] = []

    def at(self, where: str) -> None:
        """Say which cell is being executed."""
        self._write(where, "")

    def ended(self, number: int, *, succeeded: bool, tries: int) -> None:
        """Note how a cell ended."""
        if len(self._cells) < MOST_CELLS or not succeeded:
            self._cells.append((number, int(succeeded), tries))

    def failed(self, where: str, why: str) -> None:
        """Say why the notebook goes no further."""
        self._write(where, why)

    def done(self) -> None:
        """Say that nothing is being executed any more."""
        self._write("", "")

    def _write(self, where: str, why: str) -> None:
        temporary = f"{self._path}.{os.urandom(8).hex()}"
        words = json.dumps({"cells": self._cells, "where": where, "why": why})
        try:
            with open(temporary, "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(words)
            os.replace(temporary, self._path)  # noqa: PTH105
        except OSError:
            return  # the log says the same
