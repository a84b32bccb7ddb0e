"""What the scheduler knows: pipelines at their heads and runs that are not over. A pure fold, kept in memory.

The book may be ahead of its file (`adapters/book_store.py`) by the batch in hand, never behind the truth:
what is in it is in the log.
"""

from fastflow_events.pipeline.events import (
    PipelineChanged,
    PipelineDiscovered,
    PipelineInvalid,
    PipelinePaused,
    PipelineRemoved,
    PipelineResumed,
    PipelineVersionMissing,
    PipelineVersionStored,
)
from fastflow_events.queue.events import QueueLeased
from fastflow_events.recorded import Cause, Position, Recorded
from fastflow_events.run.events import RunPrioritised, RunRequested
from fastflow_events.run.state import OVER, Run, evolve
from fastflow_rules.admission import Pipeline, Version
from fastflow_rules.definition import from_fact
from msgspec import Struct
from msgspec.structs import replace

IN_HAND = frozenset({"dispatched", "claimed", "started", "ended"})
"""Phases in which an attempt takes one of the places."""


class OpenRun(Struct, frozen=True, kw_only=True):
    """A run that is not over, with what it takes to append its next fact."""

    run: Run
    request: RunRequested
    position: Position
    cause: Cause
    requested_seq: int
    priority: int = 0
    version: Version | None = None
    missing: str = ""


class Book:
    """The whole of it; `apply` returns which entries changed."""

    def __init__(self) -> None:
        self.seq = 0
        self.term = 0
        self.pipelines: dict[str, Pipeline] = {}
        self.runs: dict[str, OpenRun] = {}

    def apply(self, recorded: Recorded, version: Version | None) -> tuple[str, str] | None:
        """Fold one fact; `version` is the stored one a new run asks for. Returns table and key of the change."""
        self.seq = recorded.seq
        match recorded.aggregate:
            case "run":
                return self._run(recorded, version)
            case "pipeline":
                return self._pipeline(recorded)
            case "queue" if isinstance(recorded.fact, QueueLeased):
                self.term = recorded.fact.term
                return ("queue", "term")
            case _:
                return None

    def _run(self, recorded: Recorded, version: Version | None) -> tuple[str, str] | None:
        id, fact = recorded.id, recorded.fact
        known = self.runs.get(id)
        if isinstance(fact, RunRequested) and known is None:
            known = OpenRun(
                run=Run(),
                request=fact,
                position=Position(aggregate="run", id=id),
                cause=recorded.because(),
                requested_seq=recorded.seq,
                priority=fact.priority,
                version=version,
            )
        if known is None:
            return None
        run = evolve(known.run, fact)
        if run.phase in OVER:
            del self.runs[id]
            return ("runs", id)
        self.runs[id] = replace(
            known,
            run=run,
            position=Position(aggregate="run", id=id, seq=recorded.seq, version=known.position.version + 1),
            cause=recorded.because(),
            priority=fact.priority if isinstance(fact, RunPrioritised) else known.priority,
        )
        return ("runs", id)

    def _pipeline(self, recorded: Recorded) -> tuple[str, str] | None:
        name, fact = recorded.id, recorded.fact
        known = self.pipelines.get(name, Pipeline())
        match fact:
            case PipelineDiscovered() | PipelineChanged():
                definition = from_fact(fact.definition)
                known = replace(known, definition=definition, errors=(), commit=fact.commit, removed=False)
            case PipelineInvalid():
                known = replace(known, definition=None, errors=fact.errors, commit=fact.commit, removed=False)
            case PipelineRemoved():
                known = replace(known, definition=None, errors=(), removed=True)
            case PipelinePaused() | PipelineResumed():
                known = replace(known, paused=isinstance(fact, PipelinePaused))
            case _:
                return None
        self.pipelines[name] = known
        return ("pipelines", name)

    def version_arrived(self, recorded: Recorded) -> list[str]:
        """Give a version, or the news that there is none, to the runs that wait for it; returns their ids."""
        fact = recorded.fact
        if not isinstance(fact, PipelineVersionStored | PipelineVersionMissing):
            return []
        touched = []
        for id, open_run in self.runs.items():
            if open_run.version or (open_run.request.pipeline, open_run.request.commit) != (recorded.id, fact.commit):
                continue
            touched.append(id)
            if isinstance(fact, PipelineVersionStored):
                self.runs[id] = replace(open_run, version=version_of(fact), missing="")
            else:
                self.runs[id] = replace(open_run, missing=fact.reason)
        return touched


def version_of(fact: PipelineVersionStored) -> Version:
    """The version a fact tells of."""
    return Version(
        repository=fact.repository,
        commit=fact.commit,
        tree=fact.tree,
        definition=from_fact(fact.definition),
        requirements=fact.requirements,
    )
