"""The pipelines at their heads, and the versions that open runs ask for."""

from collections import Counter

from fastflow_events.aggregates.pipeline.events import (
    PipelineChanged,
    PipelineDiscovered,
    PipelineInvalid,
    PipelinePaused,
    PipelineRemoved,
    PipelineResumed,
    PipelineVersionStored,
)
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.recorded import Recorded
from fastflow_rules.definition import Definition, from_fact
from fastflow_rules.queue.admission import Pipeline, Version
from msgspec.structs import replace

from fastflow_scheduler.core.state.dirty_table import DirtyTable


class Pipelines:
    """What is known of every pipeline."""

    def __init__(self) -> None:
        self.table = DirtyTable("pipeline", Pipeline)
        self._versions: dict[tuple[str, str | None], Version] = {}
        self._users: Counter[tuple[str, str | None]] = Counter()

    def fold(self, recorded: Recorded) -> Pipeline | None:
        """Fold one fact; returns the pipeline when its head, or whether it is paused, has changed."""
        fact = recorded.fact
        known = self.table.get(recorded.id) or Pipeline()
        match fact:
            case PipelineDiscovered() | PipelineChanged():
                definition = from_fact(fact.definition)
                known = replace(
                    known,
                    definition=definition,
                    last=definition,
                    errors=(),
                    errors_messages=(),
                    commit=fact.commit,
                    removed=False,
                )
            case PipelineInvalid():
                known = replace(
                    known,
                    definition=None,
                    errors=fact.errors,
                    errors_messages=fact.errors_messages,
                    commit=fact.commit,
                    removed=False,
                )
            case PipelineRemoved():
                known = replace(known, definition=None, last=None, errors=(), errors_messages=(), removed=True)
            case PipelinePaused() | PipelineResumed():
                known = replace(known, paused=isinstance(fact, PipelinePaused))
            case _:
                return None
        self.table.put(recorded.id, known)
        return known

    def get(self, name: str) -> Pipeline | None:
        """The pipeline, or None if it was never seen."""
        return self.table.get(name)

    def definition(self, name: str) -> Definition | None:
        """What the pipeline says, or said before it became invalid; None when it is not there."""
        known = self.table.get(name)
        return (known.definition or known.last) if known else None

    def version(self, request: RunRequested) -> Version | None:
        """The version a run asks for; None while it is not stored."""
        return self._versions.get((request.pipeline, request.commit))

    def use(self, request: RunRequested, version: Version | None) -> None:
        """An open run asks for this version."""
        key = (request.pipeline, request.commit)
        self._users[key] += 1
        if version is not None and key not in self._versions:
            self._versions[key] = version

    def arrived(self, pipeline: str, version: Version) -> None:
        """A version was stored; it is kept while an open run asks for it."""
        key = (pipeline, version.commit)
        if self._users[key]:
            self._versions[key] = version

    def release(self, request: RunRequested) -> None:
        """The run is over."""
        key = (request.pipeline, request.commit)
        self._users[key] -= 1
        if self._users[key] <= 0:
            del self._users[key]
            self._versions.pop(key, None)


def version_of(fact: PipelineVersionStored) -> Version:
    """The version a fact tells of."""
    return Version(
        repository=fact.repository,
        commit=fact.commit,
        tree=fact.tree,
        definition=from_fact(fact.definition),
        requirements=fact.requirements,
        branch=fact.branch,
    )
