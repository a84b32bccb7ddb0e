"""Git as a child process with a deadline and a ceiling; the only place that starts one."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from git import Git
from git.exc import GitCommandNotFound

from fastflow_git_sync.adapters.objects import AnyHash, Objects
from fastflow_git_sync.core import host_faults
from fastflow_git_sync.ports import GitError

LOOK_EVERY_S = 0.5
"""How often a running command's downloads are measured."""


class GitFailedError(Exception):
    """Git ended with a code other than 0; `stderr` is what it printed."""

    def __init__(self, code: int, stderr: str) -> None:
        super().__init__(f"git ended with {code}")
        self.code = code
        self.stderr = stderr


class GitCommand:
    """Git commands in one bare repository, from one thread at a time."""

    def __init__(
        self, repository: Path, env: Mapping[str, str], options: Sequence[str], *, timeout_s: float, max_bytes: int
    ) -> None:
        self.repository = repository
        self._options = options
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._running: int | None = None
        self._closed = False
        self.git = AnyHash(repository)
        self.git.update_environment(**env)
        self.objects = Objects(self.git)

    def run(self, *args: str, input: str | None = None, more: Sequence[str] = (), ssh: str | None = None) -> str:
        """Run one command to its end and return what it printed; `more` stands before it, `ssh` replaces our own.

        Raises:
            GitFailedError: it ended with another code than 0.
            GitError: it was not over in time, brought too much, or there is no Git.
        """
        command = ["git", f"--git-dir={self.repository}", *self._options, *more, *args]
        given = input.encode() if input is not None else None
        try:
            process = self.git.execute(
                command,
                as_process=True,
                start_new_session=True,
                istream=subprocess.PIPE if given is not None else None,
                **({"env": {"GIT_SSH_COMMAND": ssh}} if ssh else {}),
            )
        except GitCommandNotFound as exc:
            raise GitError(host_faults.NoGit()) from exc
        if self._closed:
            self._kill(process.pid)
        self._running = process.pid
        try:
            out, err = self._wait(process, given)
        finally:
            self._running = None
        if process.returncode != 0:
            raise GitFailedError(process.returncode, err.decode("utf-8", "replace"))
        return str(out.decode("utf-8", "surrogateescape"))

    def succeeds(self, *args: str) -> bool:
        """True when the command ends with 0."""
        try:
            self.run(*args)
        except GitFailedError:
            return False
        return True

    def forget(self) -> None:
        """Forget what was read, and end the processes that are kept for it; the next read starts new ones."""
        self.git.clear_cache()
        self.objects.forget()

    def close(self) -> None:
        """End what runs now; called from any thread."""
        self._closed = True
        if self._running is not None:
            self._kill(self._running)

    def _wait(self, process: Git.AutoInterrupt, given: bytes | None) -> tuple[bytes, bytes]:
        deadline = time.monotonic() + self._timeout_s
        while True:
            left = deadline - time.monotonic()
            try:
                out, err = process.communicate(given, timeout=max(0.0, min(left, LOOK_EVERY_S)))
            except subprocess.TimeoutExpired:
                given = None
                if left <= 0:
                    self._end(process)
                    raise GitError(host_faults.TooSlow(self._timeout_s)) from None
                if incoming(self.repository) > self._max_bytes:
                    self._end(process)
                    raise GitError(host_faults.TooMuchSent(round(self._max_bytes / 1e6))) from None
            else:
                return out, err

    def _end(self, process: Git.AutoInterrupt) -> None:
        self._kill(process.pid)
        process.communicate()

    def _kill(self, pid: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def incoming(repository: Path) -> int:
    """Bytes that have been downloaded and are not checked yet."""
    total = 0
    for path in (repository / "objects" / "pack").glob("tmp_*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def remove_rubbish(repository: Path) -> Sequence[Path]:
    """Remove what a killed Git left locked or half downloaded; we are this repository's only user."""
    stale = [path for path in repository.rglob("*.lock") if path.is_file()]
    stale += [path for path in (repository / "objects" / "pack").glob("tmp_*") if path.is_file()]
    for path in stale:
        path.unlink(missing_ok=True)
    return stale
