"""How the history of a pipeline and the branches of a repository look to people."""

from fastflow_events.message import Message
from msgspec import Struct

from fastflow_gateway.core.typed import InstantText


class VersionResponse(Struct, frozen=True, kw_only=True):
    """A commit that changed the pipeline's folder."""

    commit: str
    commit_url: str | None
    web_url: str | None
    """The folder at this commit, at the Git host."""
    tree: str | None
    """Git's own hash of the folder; null where the commit removed it."""
    subject: str
    author: str
    at: InstantText | None
    files: list[str]
    """Paths inside the folder that it changed, at most twenty of them."""
    files_changed: int
    """How many those are."""
    changed: list[str]
    """Members of pipeline.json that are not as they were before."""
    is_current: bool
    """The folder at the head is as this commit left it."""


class VersionPage(Struct, frozen=True, kw_only=True):
    """Commits of a pipeline's folder, newest first."""

    pipeline: str
    repository: str
    items: list[VersionResponse]
    next: str | None
    """Give it as `cursor` to go on; null at the end."""


class RefResponse(Struct, frozen=True, kw_only=True):
    """A branch and its newest commit."""

    name: str
    commit: str
    commit_url: str | None
    is_watched: bool
    """Its head is what pipelines are read from."""


class RefList(Struct, frozen=True, kw_only=True):
    """The branches that the host has now, by name."""

    items: list[RefResponse]
    has_more: bool
    """There are more than are named."""
    next: str | None = None


class FolderCheck(Struct, frozen=True, kw_only=True):
    """A folder that is a pipeline, or would be."""

    name: str
    errors: list[str]
    errors_messages: list[Message]


class RepositoryCheck(Struct, frozen=True, kw_only=True):
    """Whether a repository can be read, and what is in it."""

    is_readable: bool
    reason: str
    """Why it cannot be read; empty when it can."""
    reason_message: Message | None
    commit: str | None = None
    """The head of the branch."""
    commit_subject: str = ""
    commit_author: str = ""
    committed_at: InstantText | None = None
    web_url: str | None = None
    pipelines: list[FolderCheck] = []
    has_more: bool = False
    """There are more folders than are named."""
    branches: list[str] = []
