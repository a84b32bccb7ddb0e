"""The words by which a run is found: folded so that case and accents do not matter."""

import re
import unicodedata
from typing import Any

import msgspec

from fastflow_gateway.core.views.run_row import OVER, RunRow

MOST = 200
"""Words kept of one run."""
LOOKED_AT = 20_000
"""Characters looked at of one text."""
LONGEST = 64
"""Characters kept of one word."""
_WORD = re.compile(r"[^\W_]+")
_ERROR = msgspec.json.Decoder(dict[str, Any])


def words_in(text: str) -> list[str]:
    """Every word of a text, in order, folded; all but letters and digits separates."""
    plain = unicodedata.normalize("NFKD", text[:LOOKED_AT].casefold())
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return [word[:LONGEST] for word in _WORD.findall(plain)]


def words_from(asked: str, ended: str, error: str | None) -> str:
    """The words of what was asked for, of how it ended and of an error, each once, separated by blanks."""
    found = dict.fromkeys(word for text in (asked, ended, _error(error)) for word in words_in(text))
    return " ".join(list(found)[:MOST])


def words_of(row: RunRow) -> str:
    """What a run is found by: what it was asked for, and once it is over how it ended. `derived.sql` says the same."""
    asked = f"{row.pipeline} {row.who} {row.commit_sha or ''} {row.params}"
    if row.status not in OVER:
        return words_from(asked, "", None)
    return words_from(asked, f"{row.branch} {row.reason}", row.error)


def has(row: RunRow, wanted: list[str]) -> bool:
    """Whether every wanted word is one of the run's; the last one may be the beginning of one."""
    if not wanted:
        return True
    own = words_of(row).split()
    *whole, last = wanted
    return set(whole) <= set(own) and any(word.startswith(last) for word in own)


def _error(column: str | None) -> str:
    if not column:
        return ""
    found = _ERROR.decode(column)
    return " ".join(str(found[name]) for name in ("type", "message", "file") if found.get(name))
