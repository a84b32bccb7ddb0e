"""Whoever wants to know how far an attempt is, such as a test that kills the runner there."""

from collections.abc import Callable
from typing import TypeAlias

Passed: TypeAlias = Callable[[str], None]
"""Hears the name of each phase of an attempt, and of each step of a start, at its end."""


def unheard(_: str) -> None:
    """Nobody wants to know."""
