"""Table `environments`: one row per environment, with everything that was ever installed for it."""

import msgspec
from fastflow_events.aggregates.environment.decider import Environment, environment_decider
from fastflow_events.aggregates.environment.events import EnvironmentPrepared, EnvironmentRefreshed
from fastflow_events.recorded import Recorded
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.views.instants import text_of


class Made(Struct, frozen=True):
    """A folder as it was prepared last."""

    engine: str
    at: str
    size_bytes: int = 0


class EnvironmentRow(Struct, frozen=True):
    """One environment. Instants are RFC 3339 UTC text."""

    id: str
    seq: int
    """Stream position of the fact that changed the row last."""
    state: str
    """JSON object: how it stands by the rules, without its lock."""
    lock: str = ""
    """The lock that was installed last, even if it is not to be used any more."""
    python: str = ""
    uv: str = ""
    size_bytes: int = 0
    prepared_at: str | None = None
    prepare_s: float = 0.0
    refreshed: int = 0
    """1 once somebody wanted it resolved anew."""
    made: str = "{}"
    """JSON object: folder to its newest preparation, oldest first."""


_json = msgspec.json.Encoder()
_state = msgspec.json.Decoder(Environment)
_made = msgspec.json.Decoder(dict[str, Made])


def project(row: EnvironmentRow | None, recorded: Recorded) -> EnvironmentRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    fact = recorded.fact
    before = state_of(row) if row else environment_decider.initial
    after = environment_decider.evolve(before, fact)
    if after == before and row is not None:
        return row
    row = row or EnvironmentRow(id=recorded.id, seq=recorded.seq, state="{}")
    row = replace(row, seq=recorded.seq, state=_state_text(after))
    match fact:
        case EnvironmentPrepared():
            made = made_of(row)
            made.pop(fact.environment, None)
            made[fact.environment] = Made(fact.engine, text_of(recorded.at), fact.size_bytes)
            return replace(
                row,
                lock=fact.lock,
                python=fact.python,
                uv=fact.uv,
                size_bytes=fact.size_bytes,
                prepared_at=text_of(recorded.at),
                prepare_s=fact.prepare_s,
                made=_json.encode(made).decode(),
            )
        case EnvironmentRefreshed():
            return replace(row, refreshed=1)
        case _:
            return row


def state_of(row: EnvironmentRow) -> Environment:
    """How it stands by the rules."""
    known = _state.decode(row.state)
    return known if known.lock is None else replace(known, lock=row.lock)


def made_of(row: EnvironmentRow) -> dict[str, Made]:
    """Folder to its newest preparation, oldest first."""
    return _made.decode(row.made)


def _state_text(state: Environment) -> str:
    """Always the same for the same state; of the lock only whether there is one."""
    plain = {
        "lock": None if state.lock is None else "",
        "generation": state.generation,
        "environments": sorted(state.environments),
        "folders": sorted(state.folders),
        "retired": sorted(state.retired),
        "failures": dict(sorted(state.failures.items())),
    }
    return _json.encode(plain).decode()
