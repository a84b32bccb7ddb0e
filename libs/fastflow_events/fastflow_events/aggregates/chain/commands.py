"""What may be asked of a chain."""

from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.chain.events import ChainSet


class SetChain(Struct, frozen=True, kw_only=True):
    """Run a pipeline after another."""

    chain: ChainSet


class RemoveChain(Struct, frozen=True, kw_only=True):
    """Do not any more."""

    who: str


ChainCommand: TypeAlias = SetChain | RemoveChain
