"""What git_sync is asked about a branch, and what it answers; the two messages between it and the gateway."""

from typing import Any

from fastflow_events.message import Message
from fastflow_events.types import RepositoryName
from msgspec import Struct

MAX_ANSWER_BYTES = 900_000
"""A branch that changes more is not planned in one go."""


class BranchQuestion(Struct, frozen=True, kw_only=True):
    """What would a branch change?"""

    repository: RepositoryName
    ref: str
    """A branch, or a commit that some branch holds."""


class FolderAt(Struct, frozen=True, kw_only=True):
    """A folder of the branch that differs from what the log says of its pipeline."""

    name: str
    tree: str
    definition: dict[str, Any] | None = None
    """None when it is invalid."""
    errors: tuple[str, ...] = ()
    errors_messages: tuple[Message, ...] = ()
    requirements_sha256: str = ""
    requirements_source: str = "none"


class BranchAnswer(Struct, frozen=True, kw_only=True):
    """The branch, beside the head that the log knows."""

    repository: str
    ref: str
    commit: str
    base: str | None
    """Head that was synced last; None before the first sync."""
    folders: tuple[FolderAt, ...] = ()
    gone: tuple[str, ...] = ()
    unchanged: int = 0


class BranchRefused(Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    refused: str
    refused_message: Message | None = None
    missing: bool = False
    """True when there is no such repository or branch."""
