"""What the runner itself says in a run's output; always the same for the same attempt, so that it is said once."""

from datetime import datetime

from fastflow_events.output import OutFrame

from fastflow_runner.attempt import Brief

_SIGN = "fast-flow: "


def left_out(brief: Brief, at: datetime) -> list[OutFrame]:
    """A warning that names the variables which cannot be given to the run here."""
    specification = brief.specification
    names = sorted({*specification.sealed_env, *specification.secrets})
    if not names:
        return []
    return [notice(f"this runner cannot open sealed values; left out: {', '.join(names)}", at)]


def notice(text: str, at: datetime) -> OutFrame:
    """A line, or several, on standard error."""
    lines = "".join(f"{_SIGN}{line}\n" for line in text.splitlines())
    return OutFrame(stream="stderr", at=at, data=lines.encode())
