"""What tools said that failed, for all who waited for them: the first to read it removes the container."""

_KEPT = 100


class Said:
    """Words by the name of the container; of the last hundred."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    def of(self, container: str, words: str) -> str:
        """The words that were read now or, where somebody else has removed them meanwhile, those that he read."""
        known = max(words, self._words.pop(container, ""), key=len)
        self._words[container] = known
        if len(self._words) > _KEPT:
            del self._words[next(iter(self._words))]
        return known
