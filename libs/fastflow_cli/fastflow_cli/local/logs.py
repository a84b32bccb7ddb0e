"""What a child process said last."""

from pathlib import Path

import msgspec

TAIL_BYTES = 65_536


def tail(path: Path, lines: int = 20) -> list[str]:
    """The last lines of a log file, oldest first; empty when there is none."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()[-lines:]


def last_words(path: Path) -> str:
    """The newest line that says something: the message of a JSON line, the line itself otherwise."""
    for line in reversed(tail(path)):
        if not line.strip():
            continue
        try:
            record = msgspec.json.decode(line)
        except msgspec.DecodeError:
            return line.strip()
        return str(record.get("message", line)) if isinstance(record, dict) else line
    return "it said nothing"
