"""Table `pipelines`: one row per pipeline ever seen, as it is at the head of its repository."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import msgspec
from fastflow_events.aggregates.pipeline.events import (
    PipelineChanged,
    PipelineDiscovered,
    PipelineInvalid,
    PipelinePaused,
    PipelineRemoved,
    PipelineResumed,
    PipelineStatsReset,
)
from fastflow_events.errors import UntrustedError
from fastflow_events.message import Message, Statement, all_retold
from fastflow_events.recorded import Recorded
from fastflow_rules.definition import from_fact
from fastflow_rules.schedules.planned import PlannedSchedule, plans_of_file
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.views.instants import text_of

PipelineStatus: TypeAlias = Literal["ready", "disabled", "invalid", "removed"]


class PipelineRow(Struct, frozen=True):
    """One pipeline."""

    name: str
    seq: int
    """Stream position of the fact that changed the row last."""
    repository: str
    status: PipelineStatus
    commit_sha: str
    """The head at which this was read."""
    tree: str
    definition: str
    """Normalised `pipeline.json`; `null` while the pipeline is invalid: it never runs with anything else."""
    errors: str
    """JSON list of sentences; empty unless invalid."""
    errors_messages: str = "[]"
    """JSON list: code and arguments of each."""
    paused: int = 0
    """1 while new runs are held back."""
    requirements_sha256: str = ""
    """Hash of what its packages come from; empty for none."""
    tags: str = "[]"
    """JSON list, sorted, folded for comparing."""
    paused_by: str = ""
    paused_why: str = ""
    paused_at: str | None = None
    stats_since: str | None = None
    """Statistics count runs that were requested since then; null for all."""
    schedules: str = "{}"
    """JSON object: the schedules of its file by name, with the phase that they keep while their times do not change."""


_json = msgspec.json.Encoder(order="sorted")
_OUTLIVES = ("paused", "paused_by", "paused_why", "paused_at", "stats_since")


def _valid(row: PipelineRow | None, recorded: Recorded, fact: PipelineDiscovered | PipelineChanged) -> PipelineRow:
    tags = fact.definition.get("tags")
    return PipelineRow(
        name=recorded.id,
        seq=recorded.seq,
        repository=fact.repository,
        status="disabled" if fact.definition.get("enabled") is False else "ready",
        commit_sha=fact.commit,
        tree=fact.tree,
        definition=_json.encode(fact.definition).decode(),
        errors="[]",
        errors_messages="[]",
        requirements_sha256=fact.requirements_sha256,
        tags=_json.encode(sorted({str(tag).casefold() for tag in tags})).decode() if isinstance(tags, list) else "[]",
        schedules=_schedules(row, recorded, fact),
        **_pause_of(row),
    )


def _schedules(row: PipelineRow | None, recorded: Recorded, fact: PipelineDiscovered | PipelineChanged) -> str:
    """What the file says now; a file of another release, which this one cannot read, says nothing."""
    try:
        definition = from_fact(fact.definition)
    except UntrustedError:
        return "{}"
    before = file_schedules(row) if row else {}
    return _json.encode(plans_of_file(recorded.id, definition, at=recorded.told_at, before=before)).decode()


def tags_of(row: PipelineRow) -> frozenset[str]:
    """Its tags, folded for comparing."""
    return frozenset(msgspec.json.decode(row.tags, type=list[str]))


def file_schedules(row: PipelineRow) -> dict[str, PlannedSchedule]:
    """The schedules of its file, by name."""
    return msgspec.json.decode(row.schedules, type=dict[str, PlannedSchedule])


def _pause_of(row: PipelineRow | None) -> dict[str, Any]:
    """What outlives every change of the folder."""
    return {name: getattr(row, name) for name in _OUTLIVES} if row else {}


def _reasons(fact: PipelineInvalid) -> tuple[Statement, ...]:
    return all_retold(fact.errors, fact.errors_messages)


def errors_of(row: PipelineRow) -> tuple[Statement, ...]:
    """Why it is invalid."""
    texts = msgspec.json.decode(row.errors, type=tuple[str, ...])
    return all_retold(texts, msgspec.json.decode(row.errors_messages, type=tuple[Message, ...]))


def project(row: PipelineRow | None, recorded: Recorded) -> PipelineRow | None:
    """The row after `recorded`; None while the pipeline has never been seen. Total: never refuses a fact."""
    fact = recorded.fact
    match fact:
        case PipelineDiscovered() | PipelineChanged():
            return _valid(row, recorded, fact)
        case PipelineInvalid():
            return PipelineRow(
                name=recorded.id,
                seq=recorded.seq,
                repository=fact.repository,
                status="invalid",
                commit_sha=fact.commit,
                tree=fact.tree,
                definition="null",
                errors=_json.encode(fact.errors).decode(),
                errors_messages=_json.encode([reason.message for reason in _reasons(fact)]).decode(),
                schedules=row.schedules if row else "{}",
                **_pause_of(row),
            )
        case _ if row is None:
            return None
        case PipelineRemoved():
            return replace(row, seq=recorded.seq, status="removed", commit_sha=fact.commit, schedules="{}")
        case PipelinePaused():
            at = text_of(recorded.at)
            return replace(row, seq=recorded.seq, paused=1, paused_by=fact.who, paused_why=fact.why, paused_at=at)
        case PipelineStatsReset():
            return replace(row, seq=recorded.seq, stats_since=text_of(recorded.told_at))
        case PipelineResumed():
            return replace(row, seq=recorded.seq, paused=0, paused_by="", paused_why="", paused_at=None)
        case _:
            return row


def fold(history: Iterable[Recorded]) -> PipelineRow | None:
    """The row after a whole history, oldest first."""
    row: PipelineRow | None = None
    for recorded in history:
        row = project(row, recorded)
    return row
