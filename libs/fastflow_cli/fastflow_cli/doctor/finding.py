"""What a check finds, and what all of them mean together; pure."""

from collections.abc import Sequence
from typing import Literal

from fastflow_events.message import Message, Statement, Verbatim
from msgspec import Struct

State = Literal["ok", "warning", "missing"]


class Finding(Struct, frozen=True, kw_only=True):
    """The result of one check."""

    name: str
    state: State
    """`missing` keeps Fast-Flow from starting, `warning` makes it do without something."""
    detail: str
    detail_message: Message
    fix: str = ""
    """The command that puts it right."""


def ok(name: str, detail: str | Statement) -> Finding:
    """It is there."""
    return _finding(name, "ok", detail)


def missing(name: str, detail: str | Statement, fix: str) -> Finding:
    """Nothing works without it."""
    return _finding(name, "missing", detail, fix)


def warning(name: str, detail: str | Statement, fix: str = "") -> Finding:
    """Something has to do without it."""
    return _finding(name, "warning", detail, fix)


def _finding(name: str, state: State, detail: str | Statement, fix: str = "") -> Finding:
    words = Verbatim(detail) if isinstance(detail, str) else detail
    return Finding(name=name, state=state, detail=str(words), detail_message=words.message, fix=fix)


def verdict(findings: Sequence[Finding]) -> str:
    """One sentence over everything."""
    if lacking := [f.name for f in findings if f.state == "missing"]:
        return f"Fast-Flow cannot start here: {', '.join(lacking)}"
    docker = {"engine", "worker image", "socket proxy"}
    if lacking := [f.name for f in findings if f.name in docker and f.state != "ok"]:
        return f"Fast-Flow can start here; runs would be processes, not containers: {', '.join(lacking)}"
    return "Fast-Flow can start here; runs would be containers"
