"""What of everything belongs on one page. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.output import Chunk

from fastflow_gateway.core.responses.overview import FailureOpen, Usual
from fastflow_gateway.core.statistics.figures import percentile
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.rows.statistics import FailureSeen

LEAST = 5
"""With fewer successes nothing is claimed about what is usual."""
LINE = 200


def usual(ordered_ms: Sequence[int]) -> Usual | None:
    """Of durations in order."""
    p50, p95 = percentile(ordered_ms, 0.5), percentile(ordered_ms, 0.95)
    if len(ordered_ms) < LEAST or p50 is None or p95 is None:
        return None
    return Usual(p50_s=p50 / 1000, p95_s=p95 / 1000)


def grouped(failures: Iterable[FailureSeen]) -> list[FailureOpen]:
    """Failures, newest first, by pipeline and error; where nobody read an error, by outcome."""
    groups: dict[tuple[str, str], list[FailureSeen]] = {}
    for failure in failures:
        error = _error(failure)
        kind = f"{error.type} {error.file}" if error else failure.outcome
        groups.setdefault((failure.pipeline, kind), []).append(failure)
    return [_group(group) for group in groups.values()]


def last_line_of(chunk: Chunk) -> tuple[int | None, str | None]:
    """How many lines there are up to the end of a chunk, and the last one that says something."""
    data = b"".join(frame.data for frame in chunk.frames)
    lines = None if chunk.line is None else chunk.line + data.count(b"\n")
    for line in reversed(data.splitlines()):
        if line.strip():
            return lines, line[-4 * LINE :].decode(errors="replace").strip()[-LINE:]
    return lines, None


def _group(group: Sequence[FailureSeen]) -> FailureOpen:
    newest = group[0]
    times: list[datetime] = [failure.at for failure in group]
    return FailureOpen(
        pipeline=newest.pipeline,
        error=_error(newest),
        reason=newest.reason,
        reason_message=message_of(newest.reason_message),
        outcome=newest.outcome,
        run=newest.run,
        count=len(group),
        first_at=min(times),
        last_at=max(times),
        commit=newest.commit,
    )


def _error(failure: FailureSeen) -> ScriptError | None:
    return msgspec.json.decode(failure.error, type=ScriptError) if failure.error else None
