"""Which stored code nothing needs any more: a fold of the facts. Pure.

Needed is what a head has, what an open run asks for or executes, what a run that ended a short while ago executed, and
what was stored a short while ago.
"""

from collections.abc import Iterable
from datetime import datetime

from fastflow_events.aggregates.pipeline.events import (
    PipelineBundleExpired,
    PipelineChanged,
    PipelineDiscovered,
    PipelineInvalid,
    PipelineRemoved,
    PipelineVersionStored,
)
from fastflow_events.aggregates.run.events import RunDispatched, RunFinished, RunRejected, RunRequested
from fastflow_events.recorded import Recorded
from msgspec import Struct


class _Run(Struct):
    """What an open or lately ended run needs."""

    pipeline: str
    commit: str | None
    tree: str | None = None
    """Once it is dispatched."""


class Version(Struct, frozen=True):
    """A tree of a pipeline, as some commit has it."""

    pipeline: str
    tree: str


class Stored:
    """Fold of the log; `keep_since` is the instant before which an end or a storing lies far enough back."""

    def __init__(self, *, keep_since: datetime) -> None:
        self._keep_since = keep_since
        self._heads: dict[str, str] = {}
        self._runs: dict[str, _Run] = {}
        self._trees: dict[tuple[str, str], str] = {}
        """Pipeline and commit to tree."""
        self._stored: dict[Version, datetime] = {}
        """When a tree was said to be stored last."""
        self._expired: dict[Version, datetime] = {}
        """When it was said to expire, unless it was stored again."""

    def fold(self, history: Iterable[Recorded]) -> "Stored":
        """Apply facts, oldest first."""
        for recorded in history:
            self._apply(recorded)
        return self

    def unneeded(self) -> list[Version]:
        """Versions to be expired, by pipeline and tree."""
        needed = self._needed()
        return sorted(
            (v for v, at in self._stored.items() if v not in self._expired and v.tree not in needed and self._old(at)),
            key=lambda version: (version.pipeline, version.tree),
        )

    def deletable(self, *, expired_before: datetime) -> set[str]:
        """Trees every version of which expired before an instant, so that nobody relies on them any more."""
        needed = self._needed() | {v.tree for v in self._stored if v not in self._expired}
        return {v.tree for v, at in self._expired.items() if at < expired_before} - needed

    def known(self) -> set[str]:
        """Every tree that some fact ever said to be stored."""
        return {version.tree for version in self._stored}

    def _needed(self) -> set[str]:
        wanted = {run.tree or self._trees.get((run.pipeline, run.commit or ""), "") for run in self._runs.values()}
        return {*self._heads.values(), *wanted}

    def _old(self, at: datetime) -> bool:
        return at < self._keep_since

    def _apply(self, recorded: Recorded) -> None:
        fact, id = recorded.fact, recorded.id
        match fact:
            case PipelineDiscovered() | PipelineChanged() | PipelineInvalid():
                self._heads[id] = fact.tree
            case PipelineRemoved():
                self._heads.pop(id, None)
            case PipelineVersionStored(commit=commit, tree=tree):
                self._trees[id, commit] = tree
                self._stored[Version(id, tree)] = recorded.at
                self._expired.pop(Version(id, tree), None)
            case PipelineBundleExpired(tree=tree):
                self._expired[Version(id, tree)] = recorded.at
            case RunRequested(pipeline=pipeline, commit=commit):
                self._runs.setdefault(id, _Run(pipeline, commit))
            case RunDispatched() if id in self._runs:
                self._runs[id].tree = fact.specification.tree
            case RunFinished() | RunRejected() if self._old(recorded.at):
                self._runs.pop(id, None)
            case _:
                return
