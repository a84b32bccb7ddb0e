"""What may be asked of a pipeline; who looked at the repository says what is there."""

from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.message import Statement


class FindPipeline(Struct, frozen=True, kw_only=True):
    """The folder is at the head, can be run, and its bundle is stored."""

    version: PipelineVersionStored


class FindInvalid(Struct, frozen=True, kw_only=True):
    """The folder is at the head and cannot be run."""

    repository: str
    commit: str
    tree: str
    reasons: tuple[Statement, ...]


class LosePipeline(Struct, frozen=True, kw_only=True):
    """The folder is not at the head any more."""

    repository: str
    commit: str


class StoreVersion(Struct, frozen=True, kw_only=True):
    """A commit somebody asked for holds the pipeline, and its bundle is stored."""

    version: PipelineVersionStored


class MissVersion(Struct, frozen=True, kw_only=True):
    """A commit somebody asked for cannot be run."""

    repository: str
    commit: str
    reason: Statement


class PausePipeline(Struct, frozen=True, kw_only=True):
    """Let new runs wait."""

    who: str
    why: str = ""


class ResumePipeline(Struct, frozen=True, kw_only=True):
    """Admit runs again."""

    who: str


class ResetStats(Struct, frozen=True, kw_only=True):
    """Count its runs from now on."""

    who: str
    why: str = ""


class ExpireBundle(Struct, frozen=True, kw_only=True):
    """Announce that the bundle of a tree will be deleted."""

    tree: str


PipelineCommand: TypeAlias = (
    FindPipeline
    | FindInvalid
    | LosePipeline
    | StoreVersion
    | MissVersion
    | PausePipeline
    | ResumePipeline
    | ResetStats
    | ExpireBundle
)
