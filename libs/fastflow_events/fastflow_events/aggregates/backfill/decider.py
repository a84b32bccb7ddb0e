"""The rules of a backfill: it is asked for once, and cancelled once."""

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.absent import NoSuchBackfill
from fastflow_events.aggregates.backfill.commands import BackfillCommand, CancelBackfill, RequestBackfill
from fastflow_events.aggregates.backfill.events import BackfillCancelled, BackfillRequested
from fastflow_events.decider import Decider
from fastflow_events.errors import NotFoundError
from fastflow_events.fact import Fact


class Backfill(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a backfill."""

    request: BackfillRequested | None = None
    cancelled: bool = False


def decide(command: BackfillCommand, backfill: Backfill) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        NotFoundError: nobody asked for it.
    """
    match command:
        case RequestBackfill(request=request):
            return [request] if backfill.request is None else []
        case CancelBackfill() if backfill.request is None:
            raise NotFoundError(NoSuchBackfill())
        case CancelBackfill(who=who, why=why):
            return [] if backfill.cancelled else [BackfillCancelled(who=who, why=why)]


def evolve(backfill: Backfill, fact: Fact) -> Backfill:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case BackfillRequested() if backfill.request is None:
            return replace(backfill, request=fact)
        case BackfillCancelled():
            return replace(backfill, cancelled=True)
        case _:
            return backfill


backfill_decider: Decider[BackfillCommand, Backfill] = Decider(
    aggregate="backfill", initial=Backfill(), decide=decide, evolve=evolve
)
