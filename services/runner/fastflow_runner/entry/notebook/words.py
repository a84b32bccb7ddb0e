"""What people are told of a notebook's cells; pure."""

import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any

SIGN = "fast-flow: "
MESSAGE_CHARS = 500
_CRASH = "Fatal Python error"
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def plain(text: str) -> str:
    """The text without the escape sequences that colour it in a terminal."""
    return _COLOURS.sub("", text)


def place(number: int, total: int, trial: int = 1, tries: int = 1) -> str:
    """Such as `cell 3 of 7, try 2 of 4`."""
    return f"cell {number} of {total}" + (f", try {trial} of {tries}" if tries > 1 else "")


def error(name: str, message: str) -> str:
    """Name and first line of an error."""
    lines = plain(message).strip().splitlines()
    words = f"{name}: {lines[0]}" if lines else name
    return words if len(words) <= MESSAGE_CHARS else f"{words[:MESSAGE_CHARS]}…"


def shown(data: Mapping[str, Any]) -> str:
    """A result as text: its plain form, and a line for what only the executed notebook can show."""
    text = _text(data.get("text/plain", "")) or _text(data.get("text/markdown", ""))
    lines = [text] if text else []
    lines += [
        f"{SIGN}{kind}, {len(_text(data[kind]))} characters, is in the executed notebook"
        for kind in sorted(data)
        if not kind.startswith(("text/", "application/vnd.jupyter.widget")) or (kind == "text/html" and not text)
    ]
    return "".join(f"{line}\n" for line in lines)


def traceback(content: Mapping[str, Any]) -> str:
    """An error as IPython shows it, without colours."""
    lines: Sequence[str] = content.get("traceback") or [error(content.get("ename", ""), content.get("evalue", ""))]
    return "".join(f"{plain(line)}\n" for line in lines)


def death(status: int | None, where: str) -> str:
    """How the kernel ended, given what its parent learned."""
    if status is None:
        return f"the kernel does not answer any more in {where}"
    if status >= 0:
        return f"the kernel ended with exit code {status} in {where}"
    try:
        name = f" ({signal.Signals(-status).name})"
    except ValueError:
        name = ""
    return f"the kernel was killed by signal {-status}{name} in {where}"


def crash(text: str) -> str:
    """What Python itself said of its end, out of the last that a process wrote; empty when it said nothing."""
    return text[text.rfind(_CRASH) :] if _CRASH in text else ""


def exit_code(value: str) -> int | None:
    """What a process ends with that leaves by SystemExit with this value; None for a text, which means 1."""
    if value in {"", "None"}:
        return 0
    return {"True": 1, "False": 0}.get(value) if not re.fullmatch(r"-?\d{1,18}", value) else int(value) & 0xFF


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)
