"""Start a child process that ends with us and writes to a log file."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from os import getpid
from pathlib import Path

from fastflow_cli.local import die_with_parent

MAX_LOG_BYTES = 10_000_000


def leashed(argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` so that it cannot outlive this process."""
    return [sys.executable, "-I", "-S", die_with_parent.__file__, str(getpid()), *argv]


def spawn(argv: Sequence[str], env: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start `argv` in a session of its own, so that Ctrl-C in the terminal reaches us alone."""
    rotate(log)
    with log.open("ab") as file:
        return subprocess.Popen(
            leashed(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def rotate(log: Path) -> None:
    """Put a log that has become long aside; one older one is kept."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))
