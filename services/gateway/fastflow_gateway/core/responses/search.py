"""What was found by a few letters."""

from datetime import datetime

from msgspec import Struct


class FoundPipeline(Struct, frozen=True, kw_only=True):
    """A pipeline by its name."""

    name: str
    repository: str
    status: str


class FoundRun(Struct, frozen=True, kw_only=True):
    """A run by the beginning of its id."""

    id: str
    pipeline: str
    status: str
    requested_at: datetime


class FoundCommit(Struct, frozen=True, kw_only=True):
    """A commit that runs had, or a head, by the beginning of its id."""

    commit: str
    pipelines: list[str]
    """Some of those that ran at it or are at it."""


class FoundTag(Struct, frozen=True, kw_only=True):
    """A tag, and how many pipelines have it."""

    tag: str
    pipelines: int


class FoundSecret(Struct, frozen=True, kw_only=True):
    """A secret by its name; its value is nowhere."""

    name: str
    version: int


class Found(Struct, frozen=True, kw_only=True):
    """Of each kind the best first."""

    q: str
    pipelines: list[FoundPipeline]
    runs: list[FoundRun]
    commits: list[FoundCommit]
    tags: list[FoundTag]
    secrets: list[FoundSecret]
