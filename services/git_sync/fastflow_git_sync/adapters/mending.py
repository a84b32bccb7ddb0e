"""A damaged copy is mended where it is: what is broken goes, all is fetched anew, what can be read stays."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from fastflow_git_sync.adapters import healing
from fastflow_git_sync.adapters.command import GitCommand, GitFailedError
from fastflow_git_sync.ports import GitError

logger = logging.getLogger(__name__)

KEPT, SEEN = "refs/fastflow/kept/", "refs/fastflow/seen/"


class Ask(Protocol):
    """A command of Git's that talks to the host."""

    def __call__(self, *args: str) -> str:
        """Run it and return what it printed."""


class Mender:
    """Looks at one copy and mends it, from one thread at a time."""

    def __init__(
        self,
        command: GitCommand,
        ask: Ask,
        fetch_all: Callable[[Sequence[str]], None],
        lay_out: Callable[[], None],
    ) -> None:
        self._command = command
        self._ask = ask
        self._fetch_all = fetch_all
        self._lay_out = lay_out
        self._beyond_repair: set[str] = set()
        """Objects that could not be read even after everything was fetched anew."""
        self._lost: list[str] = []

    def take_lost(self) -> tuple[str, ...]:
        """Commits that we were to keep and that nobody has any more; each is told once."""
        lost, self._lost = tuple(self._lost), []
        return lost

    def finds_damage(self) -> bool:
        """Look at everything: the files, and what every ref of ours leads to."""
        repository, command = self._command.repository, self._command
        command.forget()
        return bool(healing.broken_files(repository)) or any(
            not healing.can_be_read(command, commit) for commit in {*healing.refs(repository).values()}
        )

    def mend_if_unreadable(self, refspecs: Sequence[str]) -> None:
        """Mend when something that should be here could not be read, and still cannot; in vain it is done once.

        Raises:
            GitError: the repository cannot be asked.
        """
        objects = self._command.objects
        unreadable, objects.unreadable = objects.unreadable - self._beyond_repair, set()
        if not unreadable:
            return
        self._command.forget()
        if any(not objects.has(oid) for oid in unreadable) or healing.broken_files(self._command.repository):
            objects.unreadable |= unreadable  # should mending end in the middle
            self.mend(refspecs)
            self._beyond_repair |= {oid for oid in unreadable if not objects.has(oid)}

    def mend(self, refspecs: Sequence[str]) -> None:
        """Remove what is broken and fetch all anew.

        Raises:
            GitError: the repository cannot be asked.
        """
        repository, command = self._command.repository, self._command
        logger.warning("copy damaged, fetching all anew", extra={"action": "git_copy_mended"})
        command.forget()
        healing.remove(repository, healing.broken_files(repository))
        self._lay_out()
        gone = {}
        for name, commit in healing.refs(repository).items():
            if not healing.can_be_read(command, commit):
                gone[name] = name.removeprefix(KEPT) if name.startswith(KEPT) else commit
                healing.forget_ref(repository, name)
        self._fetch_all(refspecs)
        command.objects.unreadable.clear()
        for name, commit in gone.items():
            if name.startswith((KEPT, SEEN)):
                self._bring_back(name, commit)

    def _bring_back(self, name: str, commit: str) -> None:
        """Keep a commit again, out of what was fetched or from a host that still has it; else it is lost."""
        try:
            if not healing.can_be_read(self._command, commit):
                self._ask("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refetch", "--", "origin", commit)
            self._command.run("update-ref", name, commit)
        except (GitFailedError, GitError):
            if name.startswith(KEPT):
                self._lost.append(commit)
                logger.warning("commit lost with a damaged copy", extra={"action": "git_commit_lost", "commit": commit})
