"""Outputs of an executed notebook, each by its type; pure. What it says of itself is never believed."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from fastflow_events.errors import ContractError
from fastflow_events.message import Statement
from msgspec import Struct

TYPES = (
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "application/json",
    "text/markdown",
    "text/latex",
    "text/plain",
)
"""Those that are handed out, the richest first."""
_BINARY = {"image/png", "image/jpeg", "image/gif"}


class OutputResponse(Struct, frozen=True, kw_only=True):
    """One output of a cell."""

    k: int
    """Among the outputs of its cell, counting from 1."""
    kind: str
    """`stream`, `display_data`, `execute_result` or `error`."""
    types: list[str]
    """Media types in which it can be had, the richest first."""
    url: str
    """Where it is, in the richest."""


class NotebookUnreadable(Statement, frozen=True, tag="refused.notebook_unreadable"):
    """Somebody else wrote it."""

    english = "the executed notebook cannot be read"


class NotebookUnreadableError(ContractError):
    """The executed notebook is none."""

    code = "notebook-unreadable"

    def __init__(self) -> None:
        super().__init__(NotebookUnreadable())


class NotebookOutput(Struct, frozen=True):
    """One output: its kind, and its content by type."""

    kind: str
    content: dict[str, Any]

    @property
    def types(self) -> list[str]:
        """In which it can be had."""
        return [name for name in TYPES if name in self.content]

    def as_bytes(self, media_type: str) -> bytes:
        """Its content; what should be a picture and is none is empty."""
        value = self.content[media_type]
        if media_type == "application/json":
            return msgspec.json.encode(value)
        text = _text(value)
        if media_type not in _BINARY:
            return text.encode("utf-8", "replace")
        try:
            return base64.b64decode(text, validate=False)
        except (binascii.Error, ValueError):
            return b""


def outputs_of(notebook: bytes, cell: int) -> list[NotebookOutput] | None:
    """The outputs of a code cell, counting from 1; None when there is no such cell.

    Raises:
        NotebookUnreadableError: these bytes are no notebook.
    """
    try:
        read = msgspec.json.decode(notebook)
        cells = [each for each in read["cells"] if each.get("cell_type") == "code"]
        if not 1 <= cell <= len(cells):
            return None
        return [_output(each) for each in cells[cell - 1].get("outputs", [])]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise NotebookUnreadableError from exc


def _output(found: Mapping[str, Any]) -> NotebookOutput:
    kind = str(found.get("output_type", ""))
    match kind:
        case "stream":
            return NotebookOutput(kind, {"text/plain": found.get("text", "")})
        case "error":
            trace = [_text(line) for line in found.get("traceback") or []]
            words = trace or [f"{_text(found.get('ename', ''))}: {_text(found.get('evalue', ''))}"]
            return NotebookOutput(kind, {"text/plain": "\n".join(words)})
        case _:
            data = found.get("data") or {}
            return NotebookOutput(kind, {name: data[name] for name in TYPES if name in data})


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(str(each) for each in value)
    return value if isinstance(value, str) else str(value)
