"""What git_sync needs from outside, in its own words."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Generic, Protocol, TypeVar

from fastflow_events.aggregates.pipeline.decider import Pipeline
from fastflow_events.aggregates.repository.decider import Repository
from fastflow_events.commit_about import CommitAbout
from fastflow_events.errors import FastflowError
from fastflow_events.nats.bundles import StoredBundle
from fastflow_events.recorded import Position
from fastflow_rules.folder import Entry, Folder
from msgspec import Struct

S_co = TypeVar("S_co", covariant=True)
T = TypeVar("T")


def always(_: Sequence[Entry]) -> bool:
    """Accept whatever it is."""
    return True


class GitError(FastflowError):
    """The repository cannot be read; the message is one sentence without credentials."""

    code = "git"


class CommitMissingError(GitError):
    """The repository answers, and does not have the commit."""

    code = "commit-missing"


class TooLargeError(GitError):
    """The tree holds more than a pipeline may."""

    code = "too-large"


class Head(Struct, frozen=True, kw_only=True):
    """The newest commit of the watched branch."""

    commit: str
    rewritten: bool = False
    """True when the head before is no ancestor of this one."""
    lost: tuple[str, ...] = ()
    """Commits that were kept, and that went with a damaged copy: no branch holds them any more."""


class Version(Struct, frozen=True, kw_only=True):
    """A commit that changed a folder."""

    commit: str
    tree: str | None
    """None where the commit removed it."""
    about: CommitAbout
    paths: tuple[str, ...]
    changed: tuple[str, ...]
    """Members of its definition."""


class Copy(Protocol):
    """What is in the copy, for work that reads."""

    def entries(self, tree: str, accept: Callable[[Sequence[Entry]], bool] = always) -> Sequence[Entry]:
        """Every file under a tree, by path; none when what lies directly in it, without sizes, is not accepted.

        Raises:
            TooLargeError: too many files, or too many bytes.
        """

    def read(self, entries: Sequence[Entry]) -> dict[str, bytes]:
        """The content of each entry, by path."""


class Source(Protocol):
    """One Git repository, read without a work tree."""

    @property
    def url(self) -> str:
        """The address, for people."""

    async def fetch(self, previous: str | None) -> Head:
        """Bring the watched branch up to date and return its newest commit; `previous` is the head people know.

        Raises:
            GitError: unreachable, refused, empty, or without the branch.
        """

    async def require(self, commit: str) -> None:
        """Make sure the commit can be read, fetching when it is not there; it stays for ever.

        Only what the watched branch holds, or held once, is given out; where that is allowed what any branch holds.

        Raises:
            CommitMissingError: the repository does not have it.
            GitError: the repository cannot be asked.
        """

    async def branch(self, name: str) -> str:
        """Bring any branch up to date and return its newest commit; a commit that can be read is returned as it is.

        Raises:
            CommitMissingError: the repository has neither.
            GitError: the repository cannot be asked.
        """

    async def about(self, commit: str) -> CommitAbout:
        """What Git says of a commit that can be read.

        Raises:
            GitError: our copy of the repository cannot be read.
        """

    async def versions(self, head: str, folder: str, *, skip: int, limit: int) -> Sequence[Version]:
        """At most `limit` commits that changed a folder, newest first, behind the first `skip`.

        Raises:
            GitError: our copy of the repository cannot be read.
        """

    async def branches(self) -> Sequence[tuple[str, str]]:
        """Every branch that the host has now with its newest commit, by name.

        Raises:
            GitError: the repository cannot be asked.
        """

    async def complete(self, folders: Sequence[Folder]) -> None:
        """Make sure that every file of the folders can be read, fetching what was left out.

        Raises:
            GitError: the repository cannot be asked, or has lost them.
        """

    async def file(self, commit: str, name: str) -> Entry | None:
        """The regular file of this name beside the folders, if there is one."""

    async def folders(self, commit: str) -> Sequence[Folder]:
        """The direct sub-folders that may be pipelines, by name.

        Raises:
            GitError: the commit has no such sub-folder to look in.
        """

    async def look(self, work: Callable[[Copy], T]) -> T:
        """What `work` makes of what can be read; nothing else is read meanwhile.

        Raises:
            GitError: our copy of the repository cannot be read.
        """

    def archive(self, tree: str) -> AbstractAsyncContextManager[BinaryIO]:
        """A temporary file with everything under a tree as a tar.zst, the same bytes every time.

        Raises:
            TooLargeError: too many files, or too many bytes.
        """


class Keys(Protocol):
    """What git_sync keeps to itself."""

    async def new_deploy_key(self, repository: str, url: str) -> tuple[str, str]:
        """Make a new SSH key for a repository in place of the old one, for use at one address.

        Returns its public line and fingerprint.

        Raises:
            GitError: the key could not be made.
        """

    async def forget(self, repository: str) -> None:
        """Delete everything that is kept of a repository."""


class Bundles(Protocol):
    """The object store for code."""

    async def unseen(self, trees: Collection[str]) -> set[str]:
        """Those of the trees that nothing was ever said of; one question for many.

        Raises:
            InfrastructureError: the object store did not answer.
        """

    async def find(self, tree: str) -> StoredBundle | None:
        """What is stored of a tree, if anything."""

    async def keep(self, bundle: StoredBundle) -> StoredBundle | None:
        """Say that a stored bundle is needed again; None when it was deleted just now.

        Raises:
            InfrastructureError: the object store did not take it.
        """

    async def store(self, tree: str, file: BinaryIO, *, unseen: bool = False) -> StoredBundle:
        """Store the file as the bundle of a tree; one that was `unseen` a moment ago costs no question.

        Raises:
            InfrastructureError: the object store did not take it.
        """


class Commits(Protocol):
    """What people are shown of commits; it is kept beside the log, and may be lost."""

    async def keep(self, commit: str, about: CommitAbout) -> None:
        """Keep what Git says of a commit.

        Raises:
            InfrastructureError: it was not taken.
        """

    async def missing(self, commits: Collection[str]) -> set[str]:
        """Those of the commits of which nothing is kept.

        Raises:
            InfrastructureError: nobody answered.
        """


class Known(Struct, Generic[S_co], frozen=True):
    """An aggregate as the log had it, and where its next fact goes."""

    state: S_co
    position: Position


class Pipelines(Protocol):
    """What the log says of pipelines."""

    async def known(self, name: str, *, commit: str, tree: str | None) -> Known[Pipeline]:
        """The pipeline, with those of its versions that are of this commit or this tree."""

    async def present(self, repository: str) -> dict[str, Pipeline]:
        """Every pipeline of the repository that is at its head, by name, without versions."""

    async def commits(self, repository: str) -> set[str]:
        """Every commit of which the log knows a version of one of the repository's pipelines."""

    async def claimed(self, repository: str) -> set[str]:
        """Names of pipelines that another repository has, and this one too."""

    async def reached(self, seq: int) -> None:
        """Return once everything up to a stream position is known."""


class Repositories(Protocol):
    """What the log says of repositories."""

    async def known(self, name: str) -> Known[Repository]:
        """The repository."""

    async def all(self) -> dict[str, Repository]:
        """Every repository that was ever named in a fact, by name."""

    async def moved(self, after: int) -> int:
        """Return once something behind a stream position is known, with the position that is."""

    async def reached(self, seq: int) -> None:
        """Return once everything up to a stream position is known."""
