"""A Git repository of the examples, made anew for every demo."""

import shutil
import subprocess
from pathlib import Path

from fastflow_cli.errors import MissingError, UsageError

BRANCH = "main"
AUTHOR = ("-c", "user.name=Fast-Flow demo", "-c", "user.email=demo@fastflow.invalid", "-c", "commit.gpgsign=false")


def find_examples(named: Path | None) -> Path:
    """The folder named on the command line, else the one of the checkout this command runs from.

    Raises:
        UsageError: there is none.
    """
    folder = named or Path(__file__).resolve().parents[4] / "examples"
    if not any(folder.glob("*/main.py")):
        raise UsageError(f"{folder} holds no pipelines", fix="fastflow demo --examples FOLDER")
    return folder


def make_repository(examples: Path, folder: Path) -> str:
    """Copy the examples and commit them; returns the commit's id.

    Raises:
        MissingError: git is not there or refused.
    """
    shutil.copytree(examples, folder, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    git(folder, "init", "--quiet", f"--initial-branch={BRANCH}")
    git(folder, "add", "--all")
    git(folder, *AUTHOR, "commit", "--quiet", "--message", "Add the examples")
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """What git prints.

    Raises:
        MissingError: git is not there or refused.
    """
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as exc:
        raise MissingError("git is missing", fix="apt-get install git") from exc
    if done.returncode != 0:
        raise MissingError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()
