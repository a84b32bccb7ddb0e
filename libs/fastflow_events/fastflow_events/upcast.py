"""Retired wire names and the one step that lifts each to its successor; kept for ever."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
Upcasters: TypeAlias = Mapping[str, tuple[str, Upcaster]]
"""Retired wire name to its successor's name and the function between their bodies."""

UPCASTERS: Upcasters = {}
"""No version has been retired yet."""


def upcast(type_: str, body: dict[str, Any], upcasters: Upcasters) -> tuple[str, dict[str, Any]]:
    """Lift a body step by step until its wire name is no longer a retired one."""
    while type_ in upcasters:
        type_, step = upcasters[type_]
        body = step(body)
    return type_, body
