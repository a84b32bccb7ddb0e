"""Answers of the gateway as cells of a table; pure."""

from datetime import datetime
from typing import Any

import msgspec
from fastflow_events.aggregates.run.script_error import ScriptError

RUN_COLUMNS = ("run", "pipeline", "status", "asked", "took", "reason")
UNREACHABLE = "unreachable: its runner gives no sign of life"


def instant(text: str | None) -> str:
    """An instant to the second, UTC; empty when there is none."""
    return f"{text[:19].replace('T', ' ')}Z" if text else ""


def took(started: str | None, finished: str | None) -> str:
    """The time between two instants; empty while one is missing."""
    if not started or not finished:
        return ""
    seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    return duration(max(0.0, seconds))


def duration(seconds: float) -> str:
    """Seconds as a person says them: `0.42 s`, `75 s`, `12 min`, `3.5 h`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def run_row(run: dict[str, Any]) -> tuple[str, ...]:
    """One run."""
    status = run["status"]
    if run.get("outcome") not in (None, status):
        status = f"{status} ({run['outcome']})"
    return (
        run["id"],
        run["pipeline"],
        status,
        instant(run["requested_at"]),
        took(run.get("started_at"), run.get("finished_at")),
        UNREACHABLE if run.get("unreachable") else _why(run),
    )


def _why(run: dict[str, Any]) -> str:
    """What it waits for, or why it ended; the script's own error says more than its exit code."""
    if run.get("waiting_for"):
        return run["waiting_for"].get("reason") or ""
    if run.get("error"):
        return msgspec.convert(run["error"], ScriptError).in_words
    return run.get("reason") or ""


def fact_row(fact: dict[str, Any]) -> str:
    """One fact on one line: position, time, type, aggregate."""
    return f"{fact['seq']:>7} {fact['at'][:23].rstrip('Z'):<23}Z {fact['type']:<32} {fact['aggregate_id']}"
