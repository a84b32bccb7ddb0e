"""What the gateway asks git_sync beside plans: histories, branches, whether one can get in; and what is answered."""

from datetime import datetime

from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.message import Message
from fastflow_events.types import RepositoryName
from msgspec import Struct

MOST_VERSIONS = 100
MOST_FILES = 20
"""Of one commit that are named."""
MOST_BRANCHES = 1000
MOST_FOLDERS = 200


class Refused(Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    refused: str
    refused_message: Message | None = None
    missing: bool = False
    """True when there is no such repository or commit."""


class VersionsQuestion(Struct, frozen=True, kw_only=True):
    """Which commits changed a folder, newest first?"""

    repository: RepositoryName
    folder: str
    head: str = ""
    """The commit to begin at; empty is the head that was synced last."""
    skip: int = 0
    limit: int = 50


class VersionAt(Struct, frozen=True, kw_only=True):
    """A commit that changed the folder."""

    commit: str
    tree: str | None
    """None where the commit removed the folder."""
    subject: str = ""
    author: str = ""
    at: datetime | None = None
    files: tuple[str, ...] = ()
    """Paths inside the folder that it changed, at most twenty."""
    files_changed: int = 0
    """How many those are."""
    changed: tuple[str, ...] = ()
    """Members of the definition that are not as they were before."""


class VersionsAnswer(Struct, frozen=True, kw_only=True):
    """A page of a folder's history."""

    head: str
    """Where the history begins."""
    versions: tuple[VersionAt, ...] = ()
    more: bool = False


class BranchesQuestion(Struct, frozen=True, kw_only=True):
    """Which branches does the host have now?"""

    repository: RepositoryName


class BranchAt(Struct, frozen=True, kw_only=True):
    """A branch and its newest commit."""

    name: str
    commit: str


class BranchesAnswer(Struct, frozen=True, kw_only=True):
    """The branches of a host, by name."""

    branches: tuple[BranchAt, ...] = ()
    more: bool = False


class CheckQuestion(Struct, frozen=True, kw_only=True):
    """Can this be read, and what is in it?"""

    name: RepositoryName
    """For whom the credentials are; a deploy key that this repository has is used."""
    configured: RepositoryConfigured


class FolderFound(Struct, frozen=True, kw_only=True):
    """A folder that is a pipeline, or would be."""

    name: str
    errors: tuple[str, ...] = ()
    errors_messages: tuple[Message, ...] = ()


class CheckAnswer(Struct, frozen=True, kw_only=True):
    """What is at the head."""

    commit: str
    subject: str = ""
    author: str = ""
    at: datetime | None = None
    folders: tuple[FolderFound, ...] = ()
    more: bool = False
    """There are more folders than are named."""
    branches: tuple[BranchAt, ...] = ()
