"""Where the socket proxy of this machine listens: a socket that only whoever started it may open.

A port of the loopback interface would be open to every user of the machine, and what is behind it is an engine.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from fastflow_cli.errors import MissingError
from fastflow_cli.home import Home

NAME = "engine.sock"
MODE = 0o600
_LONGEST = 90
"""Bytes of a path that HAProxy can listen on: a socket's may have 107, and it adds to it while it starts."""


def proxy_socket(home: Home) -> Path:
    """The socket's path, in a folder that nobody else may enter; made if need be.

    Raises:
        MissingError: that folder is somebody else's.
    """
    path = _path(home)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    found = path.parent.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise MissingError(f"{path.parent} is open to others", fix=f"chmod 700 {path.parent}")
    return path


def find_socket(home: Home) -> Path | None:
    """The socket, where somebody listens or has listened; None where there is none."""
    path = _path(home)
    return path if path.exists() else None


def forget_socket(home: Home) -> None:
    """Remove what `proxy_socket` made outside of the home, once nobody listens."""
    path = _path(home)
    path.unlink(missing_ok=True)
    if not path.is_relative_to(home.path):
        with suppress(OSError):
            path.parent.rmdir()


def _path(home: Home) -> Path:
    path = home.path / "runner" / NAME
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    short = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]
    return Path("/tmp") / f"fastflow-{short}" / NAME  # TMPDIR may be as long as the home is
