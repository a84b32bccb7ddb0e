"""What a line of output says apart from what differs in every run: times, ids, addresses, temporary paths. Pure."""

import re

SHAPED_CHARS = 2000
"""Of a line; what is behind them is compared as it is."""
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\x1b\[[0-9;?]{0,20}[ -/]{0,3}[@-~]", re.ASCII), ""),
    (re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"), "<id>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (re.compile(r"(?:/var/tmp|/tmp|/dev/shm)/[^\s'\":,;)\]}]+"), "<path>"),
    (
        re.compile(
            r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?(?:Z\b|[+-]\d{2}:?\d{2}\b))?)?",
            re.ASCII,
        ),
        "<time>",
    ),
    (re.compile(r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?\b", re.ASCII), "<time>"),
    (
        re.compile(
            r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
            r" +\d{1,4}\b",
            re.ASCII,
        ),
        "<time>",
    ),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|sec|secs|seconds?|min|minutes?|it/s)\b", re.ASCII), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)?s/it\b", re.ASCII), "<time>"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,64}\b", re.ASCII), "<id>"),
    (re.compile(r"\b\d{10,19}(?:\.\d+)?\b", re.ASCII), "<id>"),
    (re.compile(r"(?i)\b(pid|thread|port)([ =:#]{1,2})\d+\b", re.ASCII), r"\1\2<id>"),
)


def shape_of(line: str) -> str:
    """Equal for lines that say the same at another time, in another run."""
    text, rest = line[:SHAPED_CHARS], line[SHAPED_CHARS:]
    for form, word in _FORMS:
        text = form.sub(word, text)
    return text.rstrip("\r ") + rest
