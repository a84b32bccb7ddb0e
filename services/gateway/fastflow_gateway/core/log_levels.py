"""How serious a line of output says that it is; pure, and only for people."""

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

import re2

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the least serious to the worst."""
SEEN_CHARS = 200
"""Of a line; what comes later is no level."""

_WORDS: dict[str, Level] = {
    "TRACE": "debug",
    "DEBUG": "debug",
    "INFO": "info",
    "NOTICE": "info",
    "WARN": "warning",
    "WARNING": "warning",
    "ERR": "error",
    "ERROR": "error",
    "CRITICAL": "error",
    "FATAL": "error",
}
_ANY = "|".join(sorted(_WORDS, key=len, reverse=True))
_SAID = re.compile(
    r"(?P<traceback>(?:Exception Group )?Traceback \(most recent call last\))"
    r"|\A(?P<raised>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit)(?:: |\Z))"
    rf"|\b(?P<upper>{_ANY})\b"
    rf"|\b(?:level|lvl|severity)\b\W{{1,4}}(?P<named>(?i:{_ANY}))\b"
    rf"|\A\W?(?P<first>(?i:{_ANY}))\b[\]:>|]"
    r"|\b(?P<warned>[A-Z]\w*Warning): ",
    re.ASCII,
)
_options = re2.Options()
_options.never_nl = True
_options.log_errors = False
_MAY_BE_ERROR = re2.compile(
    rb"(?m)Traceback \(most|(?i:ERR|ERROR|CRITICAL|FATAL)\b|[A-Za-z](?:Error|Exception|Interrupt|Exit)(?:: |$)",
    _options,
)


def level_of(line: str) -> Level | None:
    """What it says first; None when it says nothing of the kind."""
    found = _SAID.search(line[:SEEN_CHARS])
    if found is None:
        return None
    match found.lastgroup:
        case "traceback" | "raised":
            return "error"
        case "warned":
            return "warning"
        case _:
            return _WORDS[found[found.lastgroup or 0].upper()]


def is_traceback(line: str) -> bool:
    """Whether an error's story begins here."""
    return "Traceback (most recent call last)" in line[:SEEN_CHARS]


def errors_in(data: bytes) -> Iterator[tuple[int, str]]:
    """Where the lines begin that `level_of` calls errors, and how; each line ends with a newline."""
    at = 0
    while (found := _MAY_BE_ERROR.search(data, at)) is not None:
        begin, end = data.rfind(b"\n", 0, found.start()) + 1, data.find(b"\n", found.start())
        line = data[begin : min(end, begin + 4 * SEEN_CHARS)].decode("utf-8", "ignore")
        if level_of(line) == "error":
            yield begin, line
        at = end + 1
