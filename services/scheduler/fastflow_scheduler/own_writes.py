"""What this scheduler has appended and its state does not know yet: reading its own writes."""


class OwnWrites:
    """The position of the newest fact that was appended about each id, a run's or a schedule's.

    The state follows the log a moment later; deciding on it before that would decide the same thing twice.
    """

    def __init__(self) -> None:
        self._seqs: dict[str, int] = {}

    def remember(self, id: str, seq: int) -> None:
        """A fact about `id` stands at `seq` now."""
        self._seqs[id] = max(seq, self.of(id))

    def awaits(self, id: str, known: int) -> bool:
        """True while the state, which has reached the position `known`, does not know the newest one."""
        return self.of(id) > known

    def of(self, id: str) -> int:
        """Where the newest one stands; 0 when there is none that the state may not know."""
        return self._seqs.get(id, 0)

    def forget(self, known: int) -> None:
        """Drop those up to the position that the state has reached."""
        self._seqs = {id: seq for id, seq in self._seqs.items() if seq > known}
