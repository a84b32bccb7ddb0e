"""Table `secrets`: one row per secret that ever was; no column holds a value, not even a sealed one."""

from fastflow_events.aggregates.secret.events import SecretRemoved, SecretSet
from fastflow_events.errors import ContractError
from fastflow_events.recorded import Recorded
from fastflow_events.sealing import parse
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.views.instants import text_of


class SecretRow(Struct, frozen=True):
    """One secret. Instants are RFC 3339 UTC text."""

    name: str
    seq: int
    """Stream position of the fact that changed the row last."""
    version: int
    key_id: str
    """Of the key it was sealed for."""
    who: str
    """Who set or removed it last."""
    set_at: str
    removed: int = 0


def project(row: SecretRow | None, recorded: Recorded) -> SecretRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    fact = recorded.fact
    match fact:
        case SecretSet():
            return SecretRow(
                name=recorded.id,
                seq=recorded.seq,
                version=fact.version,
                key_id=_key_id(fact.sealed),
                who=fact.who,
                set_at=text_of(recorded.at),
            )
        case SecretRemoved() if row is not None:
            return replace(row, seq=recorded.seq, who=fact.who, removed=1)
        case _:
            return row


def _key_id(sealed: str) -> str:
    try:
        return parse(sealed).key_id
    except ContractError:
        return ""
