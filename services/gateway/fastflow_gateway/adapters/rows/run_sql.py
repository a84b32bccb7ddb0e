"""A filter of runs as SQL: one index leads, what else is asked is looked at in the rows that it finds, newest first."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fastflow_gateway.adapters.rows.asking import listed
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.run_row import OVER, RunStatus
from fastflow_gateway.core.views.steps import hour_of
from fastflow_gateway.core.words_query import match_of

OPEN: tuple[RunStatus, ...] = ("queued", "waiting", "preparing", "running")
OPEN_SQL = "status IN ('queued', 'waiting', 'preparing', 'running')"
_NOT_OVER_WELL = "outcome IS NOT NULL AND outcome <> 'succeeded'"
Value = str | int


class Lead(NamedTuple):
    """An index that may lead."""

    name: str
    columns: tuple[str, ...]
    """Whose values are asked for; the runs of each come out of the index in order."""
    values: tuple[tuple[str, ...], ...] = ()
    """For each column."""
    also: str = ""
    """What the index is limited to."""


class Asked(NamedTuple):
    """A statement and its values."""

    sql: str
    values: list[Value]


class Span(NamedTuple):
    """Positions of requests, both included."""

    low: int
    high: int


ALL = Span(0, 2**63 - 1)


def leads(wanted: RunFilter, pipelines: Sequence[str] | None, commits: Sequence[str]) -> list[Lead]:
    """Every index that could lead, the one that probably finds least first."""
    return list(_leads(wanted, pipelines, commits))


def _leads(wanted: RunFilter, pipelines: Sequence[str] | None, commits: Sequence[str]) -> Iterator[Lead]:
    plain: list[tuple[str, str, Sequence[str], str]] = [
        ("runs_backfill", "backfill", wanted.backfills, ""),
        ("runs_schedule", "schedule", wanted.schedules, ""),
        ("runs_commit", "commit_sha", commits, ""),
        ("runs_branch", "branch", wanted.branches, "branch <> ''"),
        ("runs_who", "who", wanted.who, ""),
        ("runs_runner", "runner", wanted.runners, ""),
    ]
    if wanted.outcomes and "succeeded" not in wanted.outcomes:
        plain.append(("runs_outcome", "outcome", wanted.outcomes, _NOT_OVER_WELL))
    for index, column, values, also in plain:
        if values:
            yield Lead(index, (column,), (tuple(values),), also)
    statuses: Sequence[str] = wanted.statuses or (sorted(OVER) if wanted.is_open is False else ())
    if pipelines is not None and statuses:
        yield Lead("runs_pipeline_status", ("pipeline", "status"), (tuple(pipelines), tuple(statuses)))
    elif pipelines is not None:
        yield Lead("runs_pipeline", ("pipeline",), (tuple(pipelines),))
    if wanted.is_open:
        yield Lead("runs_open", (), (), OPEN_SQL)
    if statuses:
        yield Lead("runs_status", ("status",), (tuple(statuses),))
    if wanted.longer_than_s is not None:
        yield Lead("runs_duration", (), (), f"duration_ms > {int(wanted.longer_than_s * 1000)}")
    if wanted.triggers:
        yield Lead("runs_trigger", ("trigger_kind",), (wanted.triggers,))


def sizes(found: Sequence[Lead], span: Span, most: int) -> Asked:
    """How many runs each index would lead to, counted up to `most`."""
    parts, values = [], list[Value]()
    for lead in found:
        conditions = ["n BETWEEN ? AND ?"]
        arguments: list[Value] = [*span]
        for column, some in zip(lead.columns, lead.values, strict=True):
            conditions.append(f"{column} IN (SELECT value FROM json_each(?))")
            arguments.append(listed(some))
        if lead.also:
            conditions.append(lead.also)
        parts.append(
            f"(SELECT COUNT(*) FROM (SELECT 1 FROM runs INDEXED BY {lead.name} "
            f"WHERE {' AND '.join(conditions)} LIMIT {most}))"
        )
        values += arguments
    return Asked(f"SELECT {', '.join(parts)}", values)


def hits(lead: Lead | None, rest: Asked, span: Span, limit: int, *, oldest: bool = False, columns: str = "n") -> Asked:
    """Runs of the leading index that hold to the rest, in order: of each of its values the first `limit`."""
    order = f"ORDER BY n {'ASC' if oldest else 'DESC'} LIMIT {limit}"
    bounds: list[Value] = [*span]
    if lead is None:
        return Asked(
            f"SELECT {columns} FROM runs NOT INDEXED WHERE n BETWEEN ? AND ?{rest.sql} {order}", bounds + rest.values
        )
    also = f" AND {lead.also}" if lead.also else ""
    inner = f"runs INDEXED BY {lead.name} WHERE"
    if all(len(some) == 1 for some in lead.values):
        same = "".join(f"{column} = ? AND " for column in lead.columns)
        sql = f"SELECT {columns} FROM {inner} {same}n BETWEEN ? AND ?{also}{rest.sql} {order}"
        return Asked(sql, [*(some[0] for some in lead.values), *bounds, *rest.values])
    names = [f"v{number}" for number in range(len(lead.columns))]
    same = "".join(f"{column} = {name}.value AND " for column, name in zip(lead.columns, names, strict=True))
    each = f"SELECT n FROM {inner} {same}n BETWEEN ? AND ?{also}{rest.sql} {order}"
    lists = " CROSS JOIN ".join(f"json_each(?) AS {name}" for name in names)
    sql = f"SELECT {columns} FROM {lists} CROSS JOIN runs AS hit ON hit.n IN ({each}) {order}"
    return Asked(sql, [*(listed(tuple(dict.fromkeys(some))) for some in lead.values), *bounds, *rest.values])


def rest_of(
    wanted: RunFilter, pipelines: Sequence[str] | None, commits: Sequence[str], over_by: int | None = None
) -> Asked:
    """Everything that is asked, as conditions on a row that begin with AND."""
    conditions, values = list[str](), list[Value]()
    for column, some in (
        ("pipeline", pipelines),
        ("status", wanted.statuses or None),
        ("outcome", wanted.outcomes or None),
        ("trigger_kind", wanted.triggers or None),
        ("commit_sha", commits if wanted.commits else None),
        ("schedule", wanted.schedules or None),
        ("backfill", wanted.backfills or None),
        ("who", wanted.who or None),
        ("runner", wanted.runners or None),
        ("branch", wanted.branches or None),
    ):
        if some is not None:  # "+": it shall not lead
            conditions.append(f" AND +runs.{column} IN (SELECT value FROM json_each(?))")
            values.append(listed(some))
    if wanted.since is not None:
        conditions.append(" AND runs.requested_at >= ?")
        values.append(text_of(wanted.since))
    if wanted.until is not None:
        conditions.append(" AND runs.requested_at < ?")
        values.append(text_of(wanted.until))
    if wanted.longer_than_s is not None:
        conditions.append(f" AND +runs.duration_ms > {int(wanted.longer_than_s * 1000)}")
    if wanted.is_open is not None:
        conditions.append(f" AND {'' if wanted.is_open else 'NOT '}runs.{OPEN_SQL}")
    if over_by is not None:
        conditions.append(f" AND +runs.seq <= ? AND NOT runs.{OPEN_SQL}")
        values.append(over_by)
    return Asked("".join(conditions), values)


def found_by_words(wanted: RunFilter, rest: Asked, span: Span, limit: int, *, oldest: bool, columns: str) -> Asked:
    """Runs that have the words, or an id that begins like this."""
    order = f"{'ASC' if oldest else 'DESC'} LIMIT {limit}"
    parts, values = list[str](), list[Value]()
    if wanted.words:
        parts.append(
            "SELECT * FROM (SELECT run_text.rowid AS n FROM run_text CROSS JOIN runs ON runs.n = run_text.rowid "
            f"WHERE run_text MATCH ? AND run_text.rowid BETWEEN ? AND ?{rest.sql} ORDER BY run_text.rowid {order})"
        )
        values += [match_of(wanted), *span, *rest.values]
    if wanted.id_prefix is not None:
        parts.append(
            "SELECT * FROM (SELECT n FROM runs INDEXED BY runs_id WHERE id >= ? AND id < ? AND n BETWEEN ? AND ?"
            f"{rest.sql} ORDER BY id {order})"
        )
        values += [wanted.id_prefix, wanted.id_prefix + "\x7f", *span, *rest.values]
    union = " UNION ".join(parts) or "SELECT 0 AS n WHERE 0"
    return Asked(f"SELECT {columns} FROM runs WHERE n IN ({union}) ORDER BY n {order}", values)


def span_of(wanted: RunFilter) -> Asked | None:
    """The positions between which runs were requested in time, found by the hour; None when no time is asked for.

    Clocks of those who write may differ, by less than two days.
    """
    if wanted.since is None and wanted.until is None:
        return None
    low, high, values = "0", str(ALL.high), list[Value]()
    if wanted.since is not None:
        low = "(SELECT MIN(first_n) FROM (SELECT first_n FROM hours WHERE hour >= ? ORDER BY hour LIMIT 48))"
        values.append(hour_of(wanted.since))
    if wanted.until is not None:
        high = "(SELECT MAX(last_n) FROM (SELECT last_n FROM hours WHERE hour <= ? ORDER BY hour DESC LIMIT 48))"
        values.append(hour_of(wanted.until))
    return Asked(f"SELECT {low}, {high}", values)
