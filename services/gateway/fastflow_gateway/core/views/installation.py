"""Tables `settings` and `queue`: whether everything is paused, and what the leader of the newest term goes by."""

from fastflow_events.aggregates.queue.events import QueueLeased
from fastflow_events.aggregates.setting.events import SettingsPaused, SettingsResumed
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.views.instants import text_of


class SettingsRow(Struct, frozen=True):
    """What holds for the whole installation."""

    id: str
    seq: int
    """Stream position of the fact that changed the row last."""
    paused: int = 0
    paused_by: str = ""
    paused_why: str = ""
    paused_at: str | None = None


class QueueRow(Struct, frozen=True):
    """The newest lease of the queue."""

    id: str
    seq: int
    term: int
    leader: str
    leased_at: str
    max_running: int | None = None
    ageing_s: float | None = None
    default_pool: str | None = None


def project(row: SettingsRow | None, recorded: Recorded) -> SettingsRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    fact = recorded.fact
    match fact:
        case SettingsPaused():
            at = text_of(recorded.at)
            return SettingsRow(recorded.id, recorded.seq, 1, fact.who, fact.why, at)
        case SettingsResumed():
            return SettingsRow(recorded.id, recorded.seq)
        case _:
            return row


def project_queue(row: QueueRow | None, recorded: Recorded) -> QueueRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    fact = recorded.fact
    if not isinstance(fact, QueueLeased):
        return row
    return QueueRow(
        id=recorded.id,
        seq=recorded.seq,
        term=fact.term,
        leader=fact.leader,
        leased_at=text_of(recorded.at),
        max_running=fact.max_running,
        ageing_s=fact.ageing_s,
        default_pool=fact.default_pool,
    )
