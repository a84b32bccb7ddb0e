"""Chance that is always the same for the same thing, so that everybody who computes it agrees."""

from hashlib import blake2b

_BITS = 53


def stable_fraction(*of: str | int) -> float:
    """A number from 0 to below 1, spread evenly over everything it may be asked for."""
    digest = blake2b("\0".join(str(part) for part in of).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) / (1 << _BITS)
