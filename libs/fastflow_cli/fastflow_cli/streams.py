"""This process's standard output and error, whatever they can show and wherever they lead."""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from fastflow_events.printable import tame


def prepare() -> None:
    """Make sure that there are two, and that neither refuses a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def shown(text: str, encoding: str, *, one_line: bool = False) -> str:
    r"""The text with `\x…`, `\u…` for what this encoding lacks, and for what would steer the terminal."""
    return tame(text, one_line=one_line).encode(encoding, "backslashreplace").decode(encoding)


def words(arguments: Sequence[str]) -> list[str]:
    """The arguments as UTF-8, also where the system speaks another language.

    Raises:
        UnicodeDecodeError: one of them is no text.
    """
    return [argument if _is_text(argument) else os.fsencode(argument).decode() for argument in arguments]


def _is_text(argument: str) -> bool:
    """False for bytes that the system did not understand and handed on as they were."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def flush() -> None:
    """Write what is still held.

    Raises:
        OSError: it cannot be written.
    """
    sys.stdout.flush()
    sys.stderr.flush()


def give_up() -> None:
    """Nothing can be written any more, and nothing may complain of it at the end of the process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
