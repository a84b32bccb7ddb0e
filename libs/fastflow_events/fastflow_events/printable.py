"""Characters that a terminal obeys instead of showing them, and the one place where they are escaped. Pure.

Names come from folders, commits, file names of scripts and headers of strangers. Printed as they are, one of them could
clear the screen of who reads a log, write lines that look like ours, or turn the order of what stands beside it. Beside
C0 and C1 these are the marks that change the direction of text, the ends of lines of Unicode, and U+FEFF, which is
nothing to be seen.

Source: ECMA-48; https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
"""

import re

_ALWAYS = "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_STEERS = re.compile(f"[{_ALWAYS}]")
_STEERS_OR_ENDS = re.compile(f"[\\t\\n{_ALWAYS}]")


def tame(text: str, *, one_line: bool = False) -> str:
    r"""The text with `\x…` and `\u…` for what steers; with `one_line` also for what ends a line, and tabs."""
    return (_STEERS_OR_ENDS if one_line else _STEERS).sub(_shown, text)


def tame_json(encoded: bytes) -> bytes:
    r"""The same JSON with `\u…` for what steers; it can stand in texts only, and means the same there."""
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded  # what is below a blank is escaped already
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded.decode()).encode()


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
