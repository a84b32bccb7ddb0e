"""A bare copy of one repository that is fetched on demand: commits and trees at once, files when they are needed.

```
<home>/git_sync/<repository>/copy-<address>.git   refs/fastflow/head/<branch>   where the branch is
                                                  refs/fastflow/seen/<branch>   where it was when we looked last
                                                  refs/fastflow/kept/<commit>   what must not be forgotten
                                                  refs/fastflow/all/*           every branch, once one was asked for
```
"""

import logging
import shutil
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from fastflow_events.message import Statement
from fastflow_rules.remote import Remote
from msgspec import Struct

from fastflow_git_sync.adapters import healing
from fastflow_git_sync.adapters.command import GitCommand, GitFailedError, remove_rubbish
from fastflow_git_sync.adapters.mending import Mender
from fastflow_git_sync.core import host_faults
from fastflow_git_sync.core.access import Access, why_not
from fastflow_git_sync.core.credentials import environment, options, ssh
from fastflow_git_sync.core.reasons import is_unadvertised, reason
from fastflow_git_sync.ports import GitError
from fastflow_git_sync.settings import GitSyncSettings

logger = logging.getLogger(__name__)

Resolve = Callable[[str, int], Sequence[str]]
_QUIET = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
_PARTIAL = "--filter=blob:none"
_FORMATS = {40: "sha1", 64: "sha256"}
_ONCE = 20_000
"""Objects asked for with one fetch."""
_MANY, _TOO_MANY = 100, 50_000
"""Objects whose kinds and sizes are asked for together: worth a process, and few enough to remember."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as this machine knows them.

    Raises:
        GitError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise GitError(host_faults.HostUnknown(host)) from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Origin(Struct, frozen=True, kw_only=True):
    """Where the original is, and how to get there."""

    remote: Remote
    branch: str
    access: Access
    look_up: Resolve = resolve


class Mirror:
    """The copy and everything that talks to the host, from one thread at a time."""

    def __init__(self, settings: GitSyncSettings, folder: Path, place: Origin) -> None:
        remote, access = place.remote, place.access
        self._remote = remote
        self._branch = place.branch
        self._access = access
        self._look_up = place.look_up
        self.folder = folder
        token = sha256(remote.url.encode()).hexdigest()[:16]
        self.repository = folder / f"copy-{token}.git"
        self.command = GitCommand(
            self.repository.absolute(),
            environment(access, remote, folder.absolute()),
            options(access, remote),
            timeout_s=settings.git_timeout_s,
            max_bytes=settings.git_max_bytes,
        )
        self.mender = Mender(self.command, self._ask, self._fetch_all, self._lay_out_again)

    def open(self) -> None:
        """Create the copy where there is none, and clean up after a process that was killed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in self.folder.glob("*.git"):
            if other != self.repository:  # another address: what it holds is not ours to give out
                shutil.rmtree(other, ignore_errors=True)
        if not (self.repository / "HEAD").exists():
            self._lay_out(healing.id_format(self.repository))
        for path in remove_rubbish(self.repository):
            logger.info("removed rubbish", extra={"action": "git_rubbish_removed", "path": str(path)})

    def fetch(self, *refspecs: str) -> None:
        """Fetch; a copy that turns out to be damaged is mended, once.

        Raises:
            GitError: the repository cannot be asked.
        """
        if not healing.refs(self.repository):
            self._match_format()
        self.mender.mend_if_unreadable(refspecs)
        try:
            self._fetch(refspecs)
        except GitFailedError as exc:
            if self._is_laid_out():  # else it was not the host that failed
                if self._other_format() is not None:
                    raise GitError(host_faults.OtherIds(self._remote.shown)) from exc
                if self._id_length() is None or not self.mender.finds_damage():
                    raise GitError(self._reason(exc.stderr)) from exc
            self.mender.mend(refspecs)

    def complete(self, trees: Iterable[str], kept: Iterable[str]) -> None:
        """Fetch the files of some trees that were left out before.

        `kept` are the refspecs to fetch with everything from a host that gives out no single objects.

        Raises:
            GitError: the repository cannot be asked, or does not give them out.
        """
        listed = self._listed(trees)
        self.bring([line[1:] for line in listed if line.startswith("?")], kept)
        if _MANY <= len(listed) <= _TOO_MANY:
            names = "".join(f"{line.removeprefix('?')}\n" for line in listed)
            with suppress(GitFailedError):  # then each is asked for when it is read
                self.command.objects.tell(self.command.run("cat-file", "--batch-check", input=names))

    def bring(self, objects: Sequence[str], kept: Iterable[str]) -> None:
        """Fetch single objects.

        Raises:
            GitError: the repository cannot be asked, or does not give them out.
        """
        try:
            for start in range(0, len(objects), _ONCE):
                wanted = "\n".join(objects[start : start + _ONCE]) + "\n"
                self._ask("fetch", *_QUIET, _PARTIAL, "--stdin", "origin", input=wanted)
        except GitFailedError as exc:
            if not is_unadvertised(exc.stderr):
                raise GitError(self._reason(exc.stderr)) from exc
            logger.warning("host gives out no single files, fetching all", extra={"action": "git_copy_whole"})
            self.command.run("config", "--unset-all", "remote.origin.partialclonefilter")
            self._fetch_all(tuple(kept))

    def branches(self) -> list[tuple[str, str]]:
        """Every branch that the host has, with its newest commit, by name.

        Raises:
            GitError: the repository cannot be asked.
        """
        try:
            listed = self._ask("ls-remote", "--heads", "--", "origin")
        except GitFailedError as exc:
            raise GitError(self._reason(exc.stderr)) from exc
        found = (line.partition("\t") for line in listed.splitlines())
        return sorted((name.removeprefix("refs/heads/"), commit) for commit, _, name in found if name)

    def has_no_branches(self) -> bool:
        """True when the repository answers and is empty."""
        try:
            return not self._ask("ls-remote", "--heads", "--", "origin").strip()
        except GitFailedError:
            return False

    def _fetch(self, refspecs: Sequence[str], *more: str) -> None:
        filtered = self.command.succeeds("config", "--get", "remote.origin.partialclonefilter")
        words = (*_QUIET, *((_PARTIAL,) if filtered else ()), "--force", "--prune", *more)
        self._ask("fetch", *words, "--", "origin", *refspecs)
        self.command.forget()

    def _fetch_all(self, refspecs: Sequence[str]) -> None:
        """Fetch as if there was nothing here yet.

        Raises:
            GitError: the repository cannot be asked.
        """
        try:
            self._fetch(refspecs, "--refetch")
        except GitFailedError as exc:
            raise GitError(self._reason(exc.stderr)) from exc

    def _match_format(self) -> None:
        """Give a copy that is empty yet the kind of ids that the host has; one that does not answer is asked again."""
        if (wanted := self._other_format()) is not None:
            self.command.forget()
            shutil.rmtree(self.repository, ignore_errors=True)
            self._lay_out(wanted)

    def _other_format(self) -> str | None:
        """The host's kind of ids, when it is known to be another one than the copy's."""
        length = self._id_length()
        theirs = None if length is None else _FORMATS.get(length)
        if theirs is None:
            return None
        try:
            mine = self.command.run("rev-parse", "--show-object-format").strip()
        except GitFailedError:
            return None
        return theirs if theirs != mine else None

    def _id_length(self) -> int | None:
        """How long the ids of the host are, 0 when it shows none; None when it does not answer."""
        try:
            return len(self._ask("ls-remote", "--", "origin", "HEAD", f"refs/heads/{self._branch}").partition("\t")[0])
        except (GitFailedError, GitError):
            return None

    def _is_laid_out(self) -> bool:
        """True when Git takes the copy for a repository and knows where the original is."""
        for key, value in (("remote.origin.url", self._remote.url), ("extensions.partialClone", "origin")):
            try:
                if self.command.run("config", "--get", key).strip() != value:
                    return False
            except GitFailedError:
                return False
        return self.command.succeeds("rev-parse", "--git-dir")

    def _lay_out_again(self) -> None:
        """Make what Git needs besides objects and refs anew where it is damaged."""
        if not self._is_laid_out():
            id_format = healing.id_format(self.repository)
            for name in ("HEAD", "config"):
                (self.repository / name).unlink(missing_ok=True)
            self._lay_out(id_format)

    def _lay_out(self, id_format: str) -> None:
        """Make the copy; whatever objects and refs are there already stay.

        Raises:
            GitError: there is no Git, or no room for the copy.
        """
        self.command.forget()
        self.repository.mkdir(exist_ok=True)
        where = str(self.repository.absolute())
        try:
            self.command.run("init", "--quiet", "--bare", "--template=", f"--object-format={id_format}", where)
            self.command.run("config", "remote.origin.url", self._remote.url)
            self.command.run("config", "remote.origin.promisor", "true")
            self.command.run("config", "remote.origin.partialclonefilter", "blob:none")
            self.command.run("config", "extensions.partialClone", "origin")
            self.command.run("config", "core.repositoryFormatVersion", "1")
        except GitFailedError as exc:
            raise GitError(self._reason(exc.stderr)) from exc

    def _listed(self, trees: Iterable[str]) -> list[str]:
        """Ids of all that the trees lead to; with a question mark before those that are missing."""
        words = ("rev-list", "--objects", "--no-object-names", "--missing=print", "--stdin")
        try:
            listed = self.command.run(*words, input="".join(f"{tree}\n" for tree in trees))
        except GitFailedError as exc:
            raise GitError(self._reason(exc.stderr)) from exc
        return listed.splitlines()

    def _ask(self, *args: str, input: str | None = None) -> str:
        """A command that talks to the host: to an address that is allowed, and to no other."""
        remote, access = self._remote, self._access
        addresses = self._look_up(remote.name, remote.port) if remote.name and not access.trusted else []
        if refusal := why_not(remote, access, addresses):
            raise GitError(refusal)
        pinned = options(access, remote, addresses)
        return self.command.run(*args, input=input, more=pinned, ssh=ssh(access, remote, addresses))

    def _reason(self, stderr: str) -> Statement:
        why = reason(stderr, url=self._remote.shown, branch=self._branch, secrets=self._secrets())
        return (
            host_faults.Empty(self._remote.shown)
            if isinstance(why, host_faults.NoBranch) and self.has_no_branches()
            else why
        )

    def _secrets(self) -> list[str]:
        file = self._access.token_file
        read = [file.read_text().strip()] if file and file.is_file() else []
        return [*read, *([self._access.token] if self._access.token else [])]
