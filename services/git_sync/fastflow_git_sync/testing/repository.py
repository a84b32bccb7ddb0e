"""A Git repository that a test fills commit by commit."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
}


class Repository:
    """A work tree with its repository in `path`; `url` is what git_sync is told."""

    def __init__(self, path: Path, *, branch: str = "main", ids: str = "sha1") -> None:
        self.path = path
        self.url = f"file://{path}"
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "-b", branch, f"--object-format={ids}")

    def git(self, *args: str, input: bytes | None = None) -> str:
        """Run Git in the repository and return what it prints."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", "-C", str(self.path), "-c", "core.quotePath=false", *args]
        done = subprocess.run(command, env=env | _ENV, check=True, capture_output=True, input=input)
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(self, files: Mapping[str, str | bytes | None], links: Mapping[str, str] | None = None) -> str:
        """Write files (None removes one) and symbolic links, commit everything, and return the commit."""
        for name, content in files.items():
            file = self.path / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        for name, target in (links or {}).items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).symlink_to(target)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "Change")
        return self.head()

    def commit_tree(self, tree: str, *, branch: str = "main") -> str:
        """Commit a tree made by hand, as no work tree could hold it."""
        commit = self.git("commit-tree", tree, "-m", "By hand")
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def make_tree(self, lines: str) -> str:
        """Make a tree object from lines as `git ls-tree` prints them."""
        return self.git("mktree", "--missing", input=lines.encode("utf-8", "surrogateescape"))

    def make_folders(self, folders: Mapping[str, Mapping[str, str]], *, branch: str = "main") -> str:
        """Commit flat folders of text, however many, in one go and without a work tree; returns the commit."""
        lines = [f"commit refs/heads/{branch}", "committer Ann <ann@example.org> 1700000000 +0000", "data 0"]
        for folder, files in folders.items():
            for name, text in files.items():
                lines += [f"M 100644 inline {folder}/{name}", f"data {len(text.encode())}", text]
        self.git("fast-import", "--quiet", "--force", input=("\n".join(lines) + "\n").encode())
        return self.git("rev-parse", branch)

    def make_blob(self, content: bytes) -> str:
        """Make a blob."""
        return self.git("hash-object", "-w", "--stdin", input=content)

    def head(self) -> str:
        """The commit the work tree is at."""
        return self.git("rev-parse", "HEAD")

    def tree(self, folder: str, commit: str = "HEAD") -> str:
        """Tree id of a folder at a commit."""
        return self.git("rev-parse", f"{commit}:{folder}")
