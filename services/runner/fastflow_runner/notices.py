"""What the runner itself says in a run's output; always the same for the same attempt, so that it is said once."""

from collections.abc import Iterable
from datetime import datetime

from fastflow_events.output import OutFrame

from fastflow_runner.ports import Started

_SIGN = "fast-flow: "


def left_out(started: Started) -> list[OutFrame]:
    """A warning that names the variables which the run was not given, and says why."""
    reasons = started.manifest.left_out
    if not reasons:
        return []
    return [notice("\n".join(f"{name} is left out: {why}" for name, why in sorted(reasons.items())), started.at)]


def withheld(names: Iterable[str], at: datetime) -> OutFrame:
    """Why there is no output: it may hold values that nobody here can recognise."""
    text = f"the output is withheld: {', '.join(sorted(names))} cannot be opened here any more, so it cannot be masked"
    return notice(text, at)


def notice(text: str, at: datetime) -> OutFrame:
    """A line, or several, on standard error."""
    lines = "".join(f"{_SIGN}{line}\n" for line in text.splitlines())
    return OutFrame(stream="stderr", at=at, data=lines.encode())
