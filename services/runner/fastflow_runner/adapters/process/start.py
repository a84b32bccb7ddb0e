"""Starting the entry program on this machine."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import fastflow_runner
from fastflow_runner.adapters.process.table import ProcessId, identify
from fastflow_runner.entry.output import write_all

ENTRY = str(Path(fastflow_runner.__file__).parent / "entry")
_INHERITED = ("PATH", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy")
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGPIPE)


def command(mode: str) -> list[str]:
    """Arguments that start the entry program with this interpreter."""
    return [sys.executable, "-I", ENTRY, mode]


def environment(variables: dict[str, str]) -> dict[str, str]:
    """What the entry program may know of this process's environment: nothing that could be a secret of ours."""
    wanted = {*_INHERITED, *(name.upper() for name in _INHERITED)}
    return {name: value for name, value in variables.items() if name in wanted}


def spawn(argv: list[str], env: dict[str, str], log: Path) -> tuple[ProcessId, int]:
    """Start a process in a session of its own; its identity, and the write end of its standard input."""
    read, write = os.pipe()
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        pid = os.posix_spawn(
            argv[0],
            argv,
            env,
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate((read, words, words))],
            setsid=True,
            setsigmask=[],
            setsigdef=_SIGNALS,
        )
    except OSError:
        os.close(write)
        raise
    finally:
        os.close(read)
        os.close(words)
    # Not reaped by anybody else, so it is there, if only as a zombie.
    process = identify(pid)
    assert process is not None
    return process, write


def tell(stdin: int, order: bytes) -> None:
    """Send an order and close; a reader that is gone says so by its exit."""
    try:
        with suppress(BrokenPipeError):
            write_all(stdin, order)
    finally:
        os.close(stdin)
