"""A Python package in a Git repository of its own, served over HTTP as plain files."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

GIT_PACKAGE = "house_git_thing"
_SETUP = f"from setuptools import setup\nsetup(name='{GIT_PACKAGE}', version='1', py_modules=['{GIT_PACKAGE}'])\n"
_WHO = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def git_package(folder: Path, host: str) -> Iterator[tuple[str, str]]:
    """Address and newest commit of the repository, while the block runs."""
    work, bare = folder / "work", folder / "served/thing.git"
    work.mkdir()
    (work / "setup.py").write_text(_SETUP)
    (work / f"{GIT_PACKAGE}.py").write_text("WORD = 'from git'\n")
    _git(work, "init", "--quiet", "--initial-branch=main")
    _git(work, "add", ".")
    _git(work, *_WHO, "commit", "--quiet", "--message=first")
    _git(folder, "clone", "--quiet", "--bare", str(work), str(bare))
    _git(bare, "update-server-info")
    handler = partial(_Handler, directory=str(folder / "served"))
    server = ThreadingHTTPServer((host, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}/thing.git", _git(work, "rev-parse", "HEAD")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
