"""Which trees were looked at in the life of this process: what lay there before is, once, and what is made is not."""

from collections.abc import Mapping

from msgspec import Struct


class Verified(Struct, frozen=True, kw_only=True):
    """What was looked through: trees of code, environments and interpreters, and stored wheels."""

    trees: int
    wheels: int
    changed: dict[str, tuple[str, ...]]
    """What is not as it was made, by its path: sentences."""


class Adopted:
    """Trees by their path and the hash of their manifest."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def unseen(self, sealed: Mapping[str, str]) -> dict[str, str]:
        """Those of them that are still to be looked at."""
        return {tree: digest for tree, digest in sealed.items() if (tree, digest) not in self._seen}

    def seen(self, sealed: Mapping[str, str]) -> None:
        """They were looked at, or made, just now."""
        self._seen.update(sealed.items())

    def forget(self, sealed: Mapping[str, str]) -> None:
        """They have to be looked at again."""
        self._seen.difference_update(sealed.items())
