"""Table `pipelines`: one row per pipeline ever seen, as it is at the head of its repository."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec
from fastflow_events.aggregates.pipeline.events import (
    PipelineChanged,
    PipelineDiscovered,
    PipelineInvalid,
    PipelinePaused,
    PipelineRemoved,
    PipelineResumed,
)
from fastflow_events.message import Message, Statement, all_retold
from fastflow_events.recorded import Recorded
from msgspec import Struct
from msgspec.structs import replace

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


_json = msgspec.json.Encoder(order="sorted")


def _valid(row: PipelineRow | None, recorded: Recorded, fact: PipelineDiscovered | PipelineChanged) -> PipelineRow:
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
        paused=row.paused if row else 0,
        requirements_sha256=fact.requirements_sha256,
    )


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
                paused=row.paused if row else 0,
            )
        case _ if row is None:
            return None
        case PipelineRemoved():
            return replace(row, seq=recorded.seq, status="removed", commit_sha=fact.commit)
        case PipelinePaused():
            return replace(row, seq=recorded.seq, paused=1)
        case PipelineResumed():
            return replace(row, seq=recorded.seq, paused=0)
        case _:
            return row


def fold(history: Iterable[Recorded]) -> PipelineRow | None:
    """The row after a whole history, oldest first."""
    row: PipelineRow | None = None
    for recorded in history:
        row = project(row, recorded)
    return row
