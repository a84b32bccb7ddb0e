"""One Git repository as a bare copy: no work tree, no hooks, no submodules, no configuration of its own.

```
<home>/git_sync/<repository>/repo.git   refs/fastflow/head/<branch>   where the branch is
                                        refs/fastflow/seen/<branch>   where it was when we looked last
                                        refs/fastflow/kept/<commit>   what must not be forgotten
                                        refs/fastflow/all/*           every branch, once somebody asked for a commit
```
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import BinaryIO, TypeVar

from fastflow_events import subjects
from fastflow_rules.folder import Entry, Folder

from fastflow_git_sync.adapters.archive import write_archive
from fastflow_git_sync.adapters.command import GitCommand, GitFailedError, remove_locks
from fastflow_git_sync.adapters.objects import Objects
from fastflow_git_sync.credentials import ASKPASS, environment
from fastflow_git_sync.ports import CommitMissingError, GitError, Head
from fastflow_git_sync.reasons import is_damaged, reason
from fastflow_git_sync.remote import Remote, check_branch, check_subfolder, remote
from fastflow_git_sync.settings import GitSyncSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force", "--prune")


class GitSource:
    """`Source` over GitPython; all of Git's work happens in one thread."""

    def __init__(self, settings: GitSyncSettings, thread: ThreadPoolExecutor) -> None:
        self._settings = settings
        self._thread = thread
        self._remote: Remote = remote(settings.git_url)
        self._branch = check_branch(settings.git_branch)
        self._subfolder = check_subfolder(settings.git_subfolder)
        self._folder = settings.home / "git_sync" / subjects.encode(settings.git_name)
        self._repository = self._folder / "repo.git"
        token = subjects.encode(self._branch)
        self._head_ref, self._seen_ref = f"refs/fastflow/head/{token}", f"refs/fastflow/seen/{token}"
        env = environment(settings, self._remote, self._folder.absolute())
        self._command = GitCommand(self._repository.absolute(), env, timeout_s=settings.git_timeout_s)
        self._objects = Objects(self._command.git)

    @property
    def url(self) -> str:
        """The address, for people."""
        return self._remote.shown

    async def fetch(self, previous: str | None) -> Head:
        """Bring the watched branch up to date."""
        return await self._in_thread(self._fetch, previous)

    async def require(self, commit: str) -> None:
        """Make sure the commit can be read."""
        await self._in_thread(self._require, commit)

    async def folders(self, commit: str) -> Sequence[Folder]:
        """The direct sub-folders that may be pipelines."""
        return await self._in_thread(self._folders, commit)

    async def names(self, tree: str) -> Sequence[Entry]:
        """What lies directly in a tree."""
        return await self._in_thread(self._objects.names, tree)

    async def entries(self, tree: str) -> Sequence[Entry]:
        """Every file under a tree."""
        return await self._in_thread(self._objects.files, tree)

    async def read(self, entries: Sequence[Entry]) -> dict[str, bytes]:
        """The content of each entry."""
        return await self._in_thread(lambda: {entry.path: self._objects.data(entry.oid) for entry in entries})

    @asynccontextmanager
    async def archive(self, entries: Sequence[Entry]) -> AsyncIterator[BinaryIO]:
        """A temporary file with the entries as a tar.zst."""
        with tempfile.TemporaryFile(dir=self._folder) as file:
            await self._in_thread(write_archive, entries, self._objects.data, file)
            yield file

    def open(self) -> None:
        """Create the bare copy where there is none, and clean up after a process that was killed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        askpass = self._folder / "askpass"
        askpass.write_text(ASKPASS)
        askpass.chmod(0o700)
        (self._folder / "gitconfig").write_text("[safe]\n\tdirectory = *\n")
        if not (self._repository / "HEAD").exists():
            self._create()
        for path in remove_locks(self._repository):
            logger.info("removed a stale lock", extra={"action": "git_lock_removed", "path": str(path)})

    def close(self) -> None:
        """End every process of Git."""
        self._command.close()
        self._thread.submit(self._command.forget)

    def _create(self) -> None:
        shutil.rmtree(self._repository, ignore_errors=True)
        self._repository.mkdir()
        self._command.run("init", "--quiet", "--bare", "--template=", str(self._repository.absolute()))

    def _fetch(self, previous: str | None) -> Head:
        self._fetch_refs(f"+refs/heads/{self._branch}:{self._head_ref}")
        commit = self._objects.header(f"{self._head_ref}^{{commit}}")[0]
        self._remember(commit)
        rewritten = previous is not None and previous != commit and not self._is_ancestor(previous, commit)
        return Head(commit=commit, rewritten=rewritten)

    def _fetch_refs(self, refspec: str) -> None:
        """Fetch; a copy that turns out to be damaged is thrown away and made anew, once."""
        for last_try in (False, True):
            try:
                self._command.run(*_FETCH, "--", self._remote.url, refspec)
            except GitFailedError as exc:
                if is_damaged(exc.stderr) and not last_try:
                    logger.warning("copy damaged, fetching all anew", extra={"action": "git_copy_rebuilt"})
                    self._command.forget()
                    self._create()
                    continue
                raise GitError(self._reason(exc.stderr)) from exc
            return

    def _remember(self, commit: str) -> None:
        """Keep the head before, should history have been rewritten."""
        try:
            seen = self._objects.header(self._seen_ref)[0]
        except GitError:
            seen = ""  # we have never looked before
        if seen and seen != commit and not self._is_ancestor(seen, commit):
            self._command.run("update-ref", f"refs/fastflow/kept/{seen}", seen)
        if seen != commit:
            self._command.run("update-ref", self._seen_ref, commit)

    def _require(self, commit: str) -> None:
        if not self._is_ours(commit):
            self._fetch_refs("+refs/heads/*:refs/fastflow/all/*")
            if not self._is_ours(commit):
                raise CommitMissingError(f"no branch of the repository has the commit {commit}")
        self._command.run("update-ref", f"refs/fastflow/kept/{commit}", commit)

    def _is_ours(self, commit: str) -> bool:
        """True when something we fetched by name leads to the commit; what a fork left at the host is not ours."""
        try:
            return bool(self._command.run("for-each-ref", "--count=1", f"--contains={commit}", "refs/fastflow/"))
        except GitFailedError:
            return False

    def _is_ancestor(self, older: str, newer: str) -> bool:
        return self._command.succeeds("merge-base", "--is-ancestor", older, newer)

    def _folders(self, commit: str) -> list[Folder]:
        tree = self._objects.header(f"{commit}^{{tree}}")[0]
        for part in self._subfolder.split("/") if self._subfolder else ():
            inner = next((e.oid for e in self._objects.names(tree) if e.path == part and e.is_folder), None)
            if inner is None:
                raise GitError(f'the repository has no folder "{self._subfolder}"')
            tree = inner
        return [
            Folder(name=entry.path, tree=entry.oid)
            for entry in sorted(self._objects.names(tree), key=lambda entry: entry.path)
            if entry.is_folder and not entry.path.startswith(".")
        ]

    def _reason(self, stderr: str) -> str:
        missing = reason(stderr, url=self.url, branch=self._branch, secrets=self._secrets())
        if missing.startswith("the repository has no branch"):
            try:
                if not self._command.run("ls-remote", "--heads", "--", self._remote.url).strip():
                    return f"the repository at {self.url} is empty"
            except GitFailedError:
                return missing
        return missing

    def _secrets(self) -> list[str]:
        file = self._settings.git_token_file
        return [file.read_text().strip()] if file and file.is_file() else []

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args))


@asynccontextmanager
async def open_source(settings: GitSyncSettings) -> AsyncIterator[GitSource]:
    """Open the repository's copy; at the end every process of Git is ended.

    Raises:
        SettingsError: the address, the branch or the sub-folder cannot be.
        GitError: there is no Git, or no room for the copy.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="git") as thread:
        source = GitSource(settings, thread)
        try:
            await asyncio.get_running_loop().run_in_executor(thread, source.open)
            yield source
        finally:
            source.close()
