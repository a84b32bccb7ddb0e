"""Table `chains`: one row per chain that was set over the API; those of the files are in their pipelines."""

import msgspec
from fastflow_events.aggregates.chain.events import ChainRemoved, ChainSet
from fastflow_events.recorded import Recorded
from msgspec import Struct
from msgspec.structs import replace


class ChainRow(Struct, frozen=True):
    """One chain."""

    id: str
    seq: int
    """Stream position of the fact that changed the row last."""
    upstream: str
    downstream: str
    chain: str
    """JSON object: the chain as it was set."""
    removed: int = 0


_json = msgspec.json.Encoder(order="sorted")
_chain = msgspec.json.Decoder(ChainSet)


def project(row: ChainRow | None, recorded: Recorded) -> ChainRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    fact = recorded.fact
    match fact:
        case ChainSet():
            text = _json.encode(fact).decode()
            return ChainRow(recorded.id, recorded.seq, fact.upstream, fact.downstream, text)
        case ChainRemoved() if row is not None:
            return replace(row, seq=recorded.seq, removed=1)
        case _:
            return row


def chain_of(row: ChainRow) -> ChainSet:
    """The chain as it was set."""
    return _chain.decode(row.chain)
