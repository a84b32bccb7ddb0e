"""Git as a child process with a deadline; the only place that starts one."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from git import Git
from git.exc import GitCommandNotFound

from fastflow_git_sync.credentials import options
from fastflow_git_sync.ports import GitError


class GitFailedError(Exception):
    """Git ended with a code other than 0; `stderr` is what it printed."""

    def __init__(self, code: int, stderr: str) -> None:
        super().__init__(f"git ended with {code}")
        self.code = code
        self.stderr = stderr


class GitCommand:
    """Git commands in one bare repository, from one thread at a time."""

    def __init__(self, repository: Path, env: Mapping[str, str], *, timeout_s: float) -> None:
        self._repository = repository
        self._timeout_s = timeout_s
        self._running: int | None = None
        self._closed = False
        self.git = Git(repository)
        self.git.update_environment(**env)

    def run(self, *args: str) -> str:
        """Run one command to its end and return what it printed.

        Raises:
            GitFailedError: it ended with another code than 0.
            GitError: it was not over in time, or there is no Git.
        """
        command = ["git", f"--git-dir={self._repository}", *options(), *args]
        try:
            process = self.git.execute(command, as_process=True, start_new_session=True)
        except GitCommandNotFound as exc:
            raise GitError("the program git is not installed") from exc
        if self._closed:
            self._kill(process.pid)
        self._running = process.pid
        try:
            out, err = process.communicate(timeout=self._timeout_s)
        except subprocess.TimeoutExpired as exc:
            self._kill(process.pid)
            process.communicate()
            raise GitError(f"Git was not done after {self._timeout_s:g} seconds") from exc
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
        """End the processes that are kept for reading objects; the next read starts new ones."""
        self.git.clear_cache()

    def close(self) -> None:
        """End what runs now; called from any thread."""
        self._closed = True
        if self._running is not None:
            self._kill(self._running)

    def _kill(self, pid: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def remove_locks(repository: Path) -> Sequence[Path]:
    """Remove what a killed Git left locked; we are this repository's only user."""
    stale = [path for path in repository.rglob("*.lock") if path.is_file()]
    for path in stale:
        path.unlink(missing_ok=True)
    return stale
