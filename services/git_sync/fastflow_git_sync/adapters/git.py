"""One Git repository as a bare copy: no work tree, no hooks, no submodules, no configuration of its own."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from typing import BinaryIO, TypeVar, cast

from fastflow_events import subjects
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.commit_about import CommitAbout
from fastflow_rules.folder import Entry, Folder
from fastflow_rules.remote import InvalidRemoteError, check_branch, check_subfolder, remote

from fastflow_git_sync.adapters import healing
from fastflow_git_sync.adapters.archive import write_archive
from fastflow_git_sync.adapters.command import GitFailedError
from fastflow_git_sync.adapters.history import History
from fastflow_git_sync.adapters.mending import KEPT
from fastflow_git_sync.adapters.mirror import Mirror, Origin, Resolve, resolve
from fastflow_git_sync.core import faults, host_faults
from fastflow_git_sync.core.access import Access
from fastflow_git_sync.core.commits import about
from fastflow_git_sync.core.credentials import ASKPASS
from fastflow_git_sync.ports import CommitMissingError, Copy, GitError, Head, Version
from fastflow_git_sync.settings import GitSyncSettings

T = TypeVar("T")
_ALL = "+refs/heads/*:refs/fastflow/all/*"
_HEX = frozenset("0123456789abcdef")
_IN_MEMORY_BYTES = 1_000_000
"""An archive that is larger is written to disk."""


class GitSource:
    """`Source` over GitPython; all of Git's work happens in one thread."""

    def __init__(
        self,
        settings: GitSyncSettings,
        name: str,
        place: Origin,
        subfolder: str,
        thread: ThreadPoolExecutor,
    ) -> None:
        self._thread = thread
        self._remote = place.remote
        self._branch = place.branch
        self._subfolder = check_subfolder(subfolder)
        self._any_commit = place.access.any_commit
        folder = settings.home / "git_sync" / subjects.encode(name)
        token = subjects.encode(self._branch)
        self._head_ref, self._seen_ref = f"refs/fastflow/head/{token}", f"refs/fastflow/seen/{token}"
        self._mirror = Mirror(settings, folder, place)
        self._command = self._mirror.command
        self._objects = self._command.objects
        self._asked, self._answered = count(1), 0
        """Numbers of questions about commits; and of the last one that was asked before all branches were fetched."""

    @property
    def url(self) -> str:
        """The address, for people."""
        return self._remote.shown

    async def fetch(self, previous: str | None) -> Head:
        """Bring the watched branch up to date."""
        return await self._in_thread(self._fetch, previous)

    async def require(self, commit: str) -> None:
        """Make sure the commit can be read."""
        await self._in_thread(self._require, commit, next(self._asked))

    async def branch(self, name: str) -> str:
        """The newest commit of any branch."""
        return await self._in_thread(self._tip, name, next(self._asked))

    async def about(self, commit: str) -> CommitAbout:
        """What a commit says of itself."""
        return await self._in_thread(lambda: about(self._objects.data(commit)))

    async def versions(self, head: str, folder: str, *, skip: int, limit: int) -> Sequence[Version]:
        """Commits that changed a folder."""
        history = History(self._mirror, self._top, (self._head_refspec, _ALL))
        path = f"{self._subfolder}/{folder}" if self._subfolder else folder
        return await self._in_thread(lambda: history.versions(head, path, folder, skip=skip, limit=limit))

    async def branches(self) -> Sequence[tuple[str, str]]:
        """Every branch that the host has now."""
        return await self._in_thread(self._mirror.branches)

    async def complete(self, folders: Sequence[Folder]) -> None:
        """Make sure that every file of the folders can be read."""
        trees = [folder.tree for folder in folders]
        if trees:
            await self._in_thread(self._mirror.complete, trees, (self._head_refspec, _ALL))

    async def file(self, commit: str, name: str) -> Entry | None:
        """The regular file of this name beside the folders."""
        return await self._in_thread(self._file, commit, name)

    async def folders(self, commit: str) -> Sequence[Folder]:
        """The direct sub-folders that may be pipelines."""
        return await self._in_thread(self._folders, commit)

    async def look(self, work: Callable[[Copy], T]) -> T:
        """What `work` makes of what can be read, in one turn of Git's thread."""
        return await self._in_thread(work, self._objects)

    @asynccontextmanager
    async def archive(self, tree: str) -> AsyncIterator[BinaryIO]:
        """A temporary file with everything under a tree as a tar.zst."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(self._mirror.folder)) as file:
            packed = cast("BinaryIO", file)
            await self._in_thread(lambda: write_archive(self._objects.entries(tree), self._objects.stream, packed))
            yield packed

    def open(self) -> None:
        """Lay out the folder: the bare copy, and what answers Git's question for a password."""
        folder = self._mirror.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        askpass = folder / "askpass"
        askpass.write_text(ASKPASS)
        askpass.chmod(0o700)
        (folder / "gitconfig").write_text("[safe]\n\tdirectory = *\n")
        self._mirror.open()

    def close(self) -> None:
        """End every process of Git."""
        self._command.close()
        self._thread.submit(self._command.forget)

    @property
    def _head_refspec(self) -> str:
        return f"+refs/heads/{self._branch}:{self._head_ref}"

    def _fetch(self, previous: str | None) -> Head:
        mender = self._mirror.mender
        self._mirror.fetch(self._head_refspec)
        try:
            commit, rewritten = self._look_at_head(previous)
        except (GitError, GitFailedError) as exc:
            if not mender.finds_damage():
                raise GitError(faults.CopyUnusable()) from exc
            mender.mend((self._head_refspec,))
            commit, rewritten = self._look_at_head(previous)
        return Head(commit=commit, rewritten=rewritten, lost=mender.take_lost())

    def _look_at_head(self, previous: str | None) -> tuple[str, bool]:
        commit = self._objects.header(f"{self._head_ref}^{{commit}}")[0]
        self._remember(commit)
        return commit, previous is not None and previous != commit and not self._is_ancestor(previous, commit)

    def _remember(self, commit: str) -> None:
        """Keep the head before, should history have been rewritten."""
        try:
            seen = self._objects.header(self._seen_ref)[0]
        except GitError:
            seen = ""  # we have never looked before
        if seen and seen != commit and not self._is_ancestor(seen, commit):
            self._command.run("update-ref", f"{KEPT}{seen}", seen)
        if seen != commit:
            self._command.run("update-ref", self._seen_ref, commit)

    def _require(self, commit: str, question: int) -> None:
        kept = f"{KEPT}{commit}"
        if not self._may_run(commit):
            self._fetch_all(question)
            if not self._may_run(commit) and kept in healing.refs(self._command.repository):
                self._mirror.mender.mend((self._head_refspec, _ALL))  # it was here once
            if not self._may_run(commit):
                raise CommitMissingError(self._why_not(commit))
        try:
            self._command.run("update-ref", kept, commit)
        except GitFailedError:
            healing.forget_ref(self._command.repository, kept)  # what stands there is no commit
            self._command.run("update-ref", kept, commit)

    def _fetch_all(self, question: int) -> None:
        """Fetch every branch, unless that was begun after the question was asked: many questions cost two fetches."""
        if question > self._answered:
            newest = next(self._asked)
            self._mirror.fetch(_ALL)
            self._answered = newest

    def _tip(self, name: str, question: int) -> str:
        if len(name) in (40, 64) and _HEX.issuperset(name):
            if not self._is_ours(name):
                self._fetch_all(question)
            if self._is_ours(name):
                return name
            raise CommitMissingError(faults.NoBranchHas(name))
        try:
            ref = f"refs/fastflow/all/{check_branch(name)}"
        except InvalidRemoteError as exc:
            raise CommitMissingError(exc.statement) from exc
        self._fetch_all(question)
        try:
            return self._objects.header(f"{ref}^{{commit}}")[0]
        except GitError:
            raise CommitMissingError(host_faults.NoBranch(name)) from None

    def _may_run(self, commit: str) -> bool:
        """True for what the watched branch holds, or held once; with `any_commit` for whatever is ours."""
        watched = (self._head_ref, self._seen_ref, f"refs/fastflow/all/{self._branch}", KEPT)
        return self._is_ours(commit, *(() if self._any_commit else watched))

    def _why_not(self, commit: str) -> str:
        if self._any_commit:
            return f"no branch of the repository has the commit {commit}"
        return (
            f'the watched branch "{self._branch}" does not hold the commit {commit}; '
            "runs of other branches need FASTFLOW_GIT_ANY_COMMIT of git_sync"
        )

    def _is_ours(self, commit: str, *refs: str) -> bool:
        """True when something we fetched by name leads to the commit; what a fork left at the host is not ours."""
        within = refs or ("refs/fastflow/",)
        try:
            return bool(self._command.run("for-each-ref", "--count=1", f"--contains={commit}", *within))
        except GitFailedError:
            return False

    def _is_ancestor(self, older: str, newer: str) -> bool:
        return self._command.succeeds("merge-base", "--is-ancestor", older, newer)

    def _top(self, commit: str) -> str:
        """The tree that holds the pipelines' folders."""
        tree = self._objects.header(f"{commit}^{{tree}}")[0]
        for part in self._subfolder.split("/") if self._subfolder else ():
            inner = next((e.oid for e in self._objects.names(tree) if e.path == part and e.is_folder), None)
            if inner is None:
                raise GitError(faults.NoFolder(self._subfolder))
            tree = inner
        return tree

    def _folders(self, commit: str) -> list[Folder]:
        return [
            Folder(name=entry.path, tree=entry.oid)
            for entry in sorted(self._objects.names(self._top(commit)), key=lambda entry: entry.path)
            if entry.is_folder and not entry.path.startswith(".")
        ]

    def _file(self, commit: str, name: str) -> Entry | None:
        found = next((e for e in self._objects.names(self._top(commit)) if e.path == name and e.is_file), None)
        if found is None:
            return None
        if not self._objects.has(found.oid):
            self._mirror.bring([found.oid], (self._head_refspec, _ALL))
        return Entry(path=name, mode=found.mode, oid=found.oid, size=self._objects.header(found.oid)[2])

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args))


@asynccontextmanager
async def open_source(
    settings: GitSyncSettings,
    name: str,
    configured: RepositoryConfigured,
    access: Access,
    look_up: Resolve = resolve,
) -> AsyncIterator[GitSource]:
    """Open the repository's copy; at the end every process of Git is ended.

    Raises:
        InvalidRemoteError: the address, the branch or the sub-folder cannot be.
        GitError: there is no Git, or no room for the copy.
    """
    place = Origin(
        remote=remote(configured.url), branch=check_branch(configured.branch), access=access, look_up=look_up
    )
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="git") as thread:
        source = GitSource(settings, name, place, configured.subfolder, thread)
        try:
            await asyncio.get_running_loop().run_in_executor(thread, source.open)
            yield source
        finally:
            source.close()
