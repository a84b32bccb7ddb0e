"""Which repository an installation watches."""

import subprocess
from pathlib import Path

from msgspec import Struct

from fastflow_cli.errors import UsageError


class Source(Struct, frozen=True):
    """A repository, and how we came to it."""

    git_url: str
    branch: str | None
    why: str


def as_url(text: str, cwd: Path) -> str:
    """A path becomes a `file://` URL; everything else stays."""
    if "://" in text or (":" in text and not Path(text).exists()):
        return text
    return (cwd / Path(text).expanduser()).resolve().as_uri()


def choose_source(
    *, named: str | None, configured: str | None, remembered: tuple[str, str | None] | None, cwd: Path
) -> Source:
    """The repository from the command line, the environment, the last start, or around the current folder.

    Raises:
        UsageError: there is none at all.
    """
    if named:
        return Source(as_url(named, cwd), None, "--git-url")
    if configured:
        return Source(as_url(configured, cwd), None, "FASTFLOW_GIT_URL")
    if remembered:
        return Source(remembered[0], remembered[1], "as at the last start")
    if top := work_tree(cwd):
        return Source(top.as_uri(), None, "the repository around this folder")
    raise UsageError("no repository is named, and this folder is in none", fix="fastflow up --git-url URL")


def work_tree(folder: Path) -> Path | None:
    """The top of the Git work tree around a folder that has a commit, or None."""
    found = git(folder, "rev-parse", "--show-toplevel")
    return Path(found) if found and git(folder, "rev-parse", "--verify", "HEAD") else None


def current_branch(git_url: str) -> str | None:
    """The branch a local repository is on; None for remote ones and a detached head."""
    if not git_url.startswith("file://"):
        return None
    return git(Path(git_url.removeprefix("file://")), "symbolic-ref", "--short", "HEAD")


def git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None when it refuses or is not there."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
