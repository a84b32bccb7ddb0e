"""What a branch would change, as it is shown."""

from datetime import datetime
from typing import Any, Literal

from fastflow_events.message import Message
from msgspec import Struct


class MemberChange(Struct, frozen=True, kw_only=True):
    """A member of the normalised definition that would be different; None is "not said"."""

    member: str
    before: Any = None
    after: Any = None


class Fires(Struct, frozen=True, kw_only=True):
    """What a schedule does in the next seven days."""

    at: list[datetime]
    """The first fifty."""
    count: int


class ScheduleChange(Struct, frozen=True, kw_only=True):
    """A schedule of a pipeline, before and after; None where it does not exist."""

    pipeline: str
    schedule: str
    before: Fires | None = None
    after: Fires | None = None


class PipelineChange(Struct, frozen=True, kw_only=True):
    """What would become of one pipeline."""

    pipeline: str
    change: Literal["added", "changed", "removed", "broken", "repaired"]
    members: list[MemberChange] = []
    """Empty when only code changes."""
    errors: list[str] = []
    errors_messages: list[Message] = []
    warnings: list[str] = []
    warnings_messages: list[Message] = []


class ChainChange(Struct, frozen=True, kw_only=True):
    """A connection between two pipelines that would come or go."""

    upstream: str
    downstream: str
    change: Literal["added", "removed"]
    condition: str


class NewEnvironment(Struct, frozen=True, kw_only=True):
    """Packages and a Python that no runner has installed yet; the first run waits until one has."""

    python: str | None
    requirements_sha256: str
    pipelines: list[str]
    failed: str | None = None
    """Why it could not be installed when somebody tried."""


class MissingSecret(Struct, frozen=True, kw_only=True):
    """A secret that a pipeline wants and nobody has set."""

    pipeline: str
    secret: str


class Plan(Struct, frozen=True, kw_only=True):
    """What merging the branch would change."""

    repository: str
    ref: str
    commit: str
    base: str | None
    pipelines: list[PipelineChange]
    unchanged: int
    schedules: list[ScheduleChange]
    chains: list[ChainChange]
    cycles: list[list[str]]
    """Circles of pipelines that would be new."""
    environments: list[NewEnvironment]
    missing_secrets: list[MissingSecret]
    problems: list[str]
    """What should keep somebody from merging, in sentences; empty is a go."""
