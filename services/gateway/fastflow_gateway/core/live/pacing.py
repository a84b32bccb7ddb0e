"""When a stream looks for what is new: at once after a silence, else a few times a second. Instants in seconds."""

import math

EVERY_S = 0.2
"""What comes within this is told together."""
PARTS_EVERY_S = 0.25
"""An unfinished line is told of so often at most."""
POLL_S = 1.0
"""A bell may be missed; this long it is not noticed."""


class Pace:
    """What has been told when."""

    def __init__(self) -> None:
        self._told_at = self._parts_at = -math.inf

    def told(self, now: float, *, parts: bool = False) -> None:
        """Something was, parts of unfinished lines among it or not."""
        self._told_at = now
        if parts:
            self._parts_at = now

    def rest_s(self, now: float) -> float:
        """How long what rings now waits for more; 0 after a silence."""
        return max(0.0, self._told_at + EVERY_S - now)

    def parts_in_s(self, now: float) -> float:
        """How long until unfinished lines may be told of again."""
        return max(0.0, self._parts_at + PARTS_EVERY_S - now)
