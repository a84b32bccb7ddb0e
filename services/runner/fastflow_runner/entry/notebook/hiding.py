"""Values of secrets out of what is kept of a notebook."""

import re
from collections.abc import Iterable
from typing import Any

from fastflow_runner.entry.mask_forms import forms

MASK = "***"
_BINARY = ("image/", "audio/", "video/", "application/pdf", "application/octet-stream")


class Hider:
    """Replaces the given values, in every form that is known of them, in the outputs of cells."""

    def __init__(self, values: Iterable[str]) -> None:
        needles = sorted((form.decode("utf-8", "replace") for form in forms(values)), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, needles))) if needles else None

    def outputs(self, value: Any) -> Any:
        """A copy of the outputs without values; pictures, which are no text, stay as they are."""
        if self._pattern is None:
            return value
        match value:
            case str():
                return self._pattern.sub(MASK, value)
            case list():
                return [self.outputs(member) for member in value]
            case dict():
                return type(value)(self._members(value))
            case _:
                return value

    def _members(self, value: dict[Any, Any]) -> dict[Any, Any]:
        """A script says its names, too: kinds of content, members of JSON, metadata."""
        members: dict[Any, Any] = {}
        for key, member in value.items():
            name = self.outputs(key)
            while name != key and (name in members or name in value):
                name += MASK
            members[name] = member if _is_picture(key) else self.outputs(member)
        return members


def _is_picture(key: Any) -> bool:
    return isinstance(key, str) and key.startswith(_BINARY) and not key.startswith("image/svg")
