"""Byte strings with slots: one definition that is filled in by the runner, and matched by the socket proxy.

Because both come from the same parts, the strings the policy accepts are exactly those the runner can write.
"""

import re
from collections.abc import Mapping

from fastflow_events.errors import ContractError
from msgspec import Struct


class Slot(Struct, frozen=True):
    """A value that varies; the same name twice must be the same value twice."""

    name: str
    pattern: str
    """Regular expression that Python and PCRE2 read alike, without capturing groups; repetition is possessive."""


Template = tuple[str | Slot, ...]


def fill(template: Template, values: Mapping[str, str]) -> str:
    """The template with its slots replaced.

    Raises:
        ContractError: a value does not match its slot.
    """
    parts = []
    for part in template:
        if isinstance(part, str):
            parts.append(part)
            continue
        value = values[part.name]
        if not re.fullmatch(part.pattern, value):
            raise ContractError(f"{value!r} is no {part.name}")
        parts.append(value)
    return "".join(parts)


def pattern(template: Template) -> str:
    """Regular expression, without anchors, of every string that `fill` can return."""
    parts = []
    seen: set[str] = set()
    for part in template:
        if isinstance(part, str):
            parts.append(escape(part))
        elif part.name in seen:
            parts.append(f"(?P={part.name})")
        else:
            seen.add(part.name)
            parts.append(f"(?P<{part.name}>{part.pattern})")
    return "".join(parts)


def escape(text: str) -> str:
    """The text as a regular expression; only what is special in one is escaped."""
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)
