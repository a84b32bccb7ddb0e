"""What a commit says of itself, read from Git's own object. Pure.

Source: https://git-scm.com/docs/git-commit#_commit_information and `git cat-file commit`
"""

import codecs
import re
from datetime import UTC, datetime

from fastflow_events.commit_about import CommitAbout

MAX_SUBJECT = 200
"""Characters of the first line that are kept."""
_PERSON = re.compile(rb"(?P<name>[^<]*)(?:<[^>]*>)?\s*(?P<at>-?\d{1,12})?")


def about(raw: bytes) -> CommitAbout:
    """Return subject, author and time of a commit; what is not there or cannot be read is left out. Never raises."""
    head, _, message = raw.partition(b"\n\n")
    lines = dict(_member(line) for line in reversed(head.split(b"\n")) if not line.startswith(b" "))
    encoding = _known(lines.get(b"encoding", b""))
    author = _PERSON.match(lines.get(b"author", b""))
    committer = _PERSON.match(lines.get(b"committer", b""))
    first = message.lstrip(b"\n").split(b"\n", 1)[0]
    return CommitAbout(
        subject=_shown(first, encoding, MAX_SUBJECT),
        author=_shown(author["name"] if author else b"", encoding, MAX_SUBJECT),
        at=_instant(committer["at"] if committer else None),
    )


def _member(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b" ")
    return name, value


def _known(encoding: bytes) -> str:
    try:
        return codecs.lookup(encoding.decode("ascii")).name if encoding else "utf-8"
    except (LookupError, UnicodeDecodeError, ValueError):
        return "utf-8"


def _shown(text: bytes, encoding: str, most: int) -> str:
    try:
        words = text.decode(encoding, "replace")
    except (LookupError, ValueError):  # a codec that is not one of text
        words = text.decode("utf-8", "replace")
    words = "".join(letter if letter.isprintable() else " " for letter in words).strip()
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _instant(seconds: bytes | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None
