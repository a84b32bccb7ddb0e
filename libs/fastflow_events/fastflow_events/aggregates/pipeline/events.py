"""The facts of a pipeline; its id is its name."""

from fastflow_events.aggregates.run.specification import Requirements
from fastflow_events.fact import Fact, wire
from fastflow_events.message import Message
from fastflow_events.types import Bytes, CommitSha, RepositoryName, TreeId


class _Version(Fact, frozen=True, kw_only=True):
    repository: RepositoryName
    commit: CommitSha
    tree: TreeId


@wire("pipeline.discovered.v1")
class PipelineDiscovered(_Version, frozen=True, kw_only=True):
    """A folder with an entry point appeared at the head of its repository."""

    definition: dict[str, object]
    """Normalised `pipeline.json` (see `pipeline.schema.json`)."""
    requirements_sha256: str = ""


@wire("pipeline.changed.v1")
class PipelineChanged(_Version, frozen=True, kw_only=True):
    """The folder has another tree at the head; also says that an invalid pipeline is valid again."""

    definition: dict[str, object]
    requirements_sha256: str = ""


@wire("pipeline.invalid.v1")
class PipelineInvalid(_Version, frozen=True, kw_only=True):
    """The folder cannot be run as it is; it is shown with the reasons and never run with defaults."""

    errors: tuple[str, ...]
    """One sentence each: path in the file, what was found, what is allowed."""
    errors_messages: tuple[Message, ...] = ()


@wire("pipeline.removed.v1")
class PipelineRemoved(Fact, frozen=True, kw_only=True):
    """The folder is gone from the head."""

    repository: RepositoryName
    commit: CommitSha


@wire("pipeline.paused.v1")
class PipelinePaused(Fact, frozen=True, kw_only=True):
    """New runs wait until the pipeline is resumed."""

    who: str
    why: str = ""


@wire("pipeline.resumed.v1")
class PipelineResumed(Fact, frozen=True, kw_only=True):
    """New runs are admitted again."""

    who: str


@wire("pipeline.stats_reset.v1")
class PipelineStatsReset(Fact, frozen=True, kw_only=True):
    """Statistics count its runs from now on; nothing is deleted."""

    who: str
    why: str = ""


@wire("pipeline.version_stored.v1")
class PipelineVersionStored(_Version, frozen=True, kw_only=True):
    """The code bundle of this tree is in the object store and the definition is known."""

    definition: dict[str, object]
    requirements: Requirements = Requirements()
    branch: str = ""
    """The watched branch that it was the head of; empty for one that was asked for by its id."""
    bundle_sha256: str
    bundle_bytes: Bytes


@wire("pipeline.version_missing.v1")
class PipelineVersionMissing(Fact, frozen=True, kw_only=True):
    """A commit somebody asked for does not hold this pipeline, or cannot be read."""

    repository: RepositoryName
    commit: CommitSha
    reason: str
    reason_message: Message | None = None


@wire("pipeline.bundle_expired.v1")
class PipelineBundleExpired(Fact, frozen=True, kw_only=True):
    """The bundle of this tree is about to be deleted; nothing needs it any more."""

    tree: TreeId


@wire("pipeline.clashed.v1")
class PipelineClashed(_Version, frozen=True, kw_only=True):
    """Another repository has a folder of this name, too; while it does, the name is invalid and neither is run."""


@wire("pipeline.clash_ended.v1")
class PipelineClashEnded(Fact, frozen=True, kw_only=True):
    """That repository's folder is gone, or the name is its own now."""

    repository: RepositoryName
