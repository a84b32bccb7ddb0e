"""What the runner itself says in a run's output; always the same for the same attempt, so that it is said once."""

from collections.abc import Iterable
from datetime import datetime

from fastflow_events.output import OutFrame

from fastflow_runner.core.outcome import result_of
from fastflow_runner.ports import Exit, Started

_SIGN = "fast-flow: "


def beforehand(started: Started) -> list[OutFrame]:
    """Warnings: the variables that the run was not given, and why; what else is not as its pipeline asks for."""
    manifest = started.manifest
    lines = [f"{name} is left out: {why}" for name, why in sorted(manifest.left_out.items())]
    lines += manifest.remarks
    return [notice("\n".join(lines), started.at)] if lines else []


def withheld(names: Iterable[str], at: datetime) -> OutFrame:
    """Why there is no output: it may hold values that nobody here can recognise."""
    text = f"the output is withheld: {', '.join(sorted(names))} cannot be opened here any more, so it cannot be masked"
    return notice(text, at)


def not_kept(exit: Exit, at: datetime) -> list[OutFrame]:
    """Names the artifacts that are not kept, and the result that could not be read, and says why."""
    lines = [f"not kept: {_printable(path)}: {why}" for path, why in exit.left]
    _, why_no_result = result_of(exit)
    if why_no_result is not None:
        lines.append(f"the result is not kept: {_printable(str(why_no_result))}")
    return [notice("\n".join(lines), at)] if lines else []


def notice(text: str, at: datetime) -> OutFrame:
    """A line, or several, on standard error."""
    lines = "".join(f"{_SIGN}{line}\n" for line in text.splitlines())
    return OutFrame(stream="stderr", at=at, data=lines.encode())


def _printable(path: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in path)
