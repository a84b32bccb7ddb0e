"""What may be asked of a secret."""

from typing import TypeAlias

from msgspec import Struct


class SetSecret(Struct, frozen=True, kw_only=True):
    """Give it this value."""

    version: int
    """The number after the last one; whoever seals must know it, because it is sealed in."""
    sealed: str
    who: str


class RemoveSecret(Struct, frozen=True, kw_only=True):
    """Nobody is to get it any more."""

    who: str


SecretCommand: TypeAlias = SetSecret | RemoveSecret
