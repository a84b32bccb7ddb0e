"""A weather station that is hard to reach."""

_asked = 0


def measure(days: int) -> list[int]:
    """Degrees of each day; the first two who ask get no answer.

    Raises:
        TimeoutError: the station did not answer.
    """
    global _asked  # noqa: PLW0603 - a try again finds the kernel as the one before left it
    _asked += 1
    if _asked < 3:
        raise TimeoutError(f"the station did not answer ({_asked})")
    return [11 + (day * 7) % 13 for day in range(days)]
