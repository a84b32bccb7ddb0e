"""Table `versions`: one row per commit of a pipeline whose code was stored."""

from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.views.instants import text_of


class VersionRow(Struct, frozen=True):
    """The code of a pipeline at a commit. Instants are RFC 3339 UTC text."""

    pipeline: str
    commit_sha: str
    seq: int
    """Stream position of the fact that says so."""
    repository: str
    tree: str
    stored_at: str
    python: str
    """What its definition names; empty when it names none."""
    kind: str
    requirements_source: str
    requirements_sha256: str
    bundle_bytes: int


def version_of(recorded: Recorded) -> VersionRow | None:
    """The row that a fact adds, unless there is one of the same commit."""
    fact = recorded.fact
    if not isinstance(fact, PipelineVersionStored):
        return None
    python, kind = fact.definition.get("python"), fact.definition.get("kind")
    return VersionRow(
        pipeline=recorded.id,
        commit_sha=fact.commit,
        seq=recorded.seq,
        repository=fact.repository,
        tree=fact.tree,
        stored_at=text_of(recorded.at),
        python=python if isinstance(python, str) else "",
        kind=kind if isinstance(kind, str) else "",
        requirements_source=fact.requirements.source,
        requirements_sha256=fact.requirements.sha256,
        bundle_bytes=fact.bundle_bytes,
    )
