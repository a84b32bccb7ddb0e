"""What the scheduler says of attempts, fires and repositories."""

from fastflow_events.message import Instant, Statement


class NotClaimed(Statement, frozen=True, tag="scheduler.not_claimed"):
    """Its dispatch was taken back."""

    english = "no runner of pool {pool} claimed it within {within_s} s"
    pool: str
    within_s: float


class BackfillCancelled(Statement, frozen=True, tag="scheduler.backfill_cancelled"):
    """Somebody wanted none of its runs any more."""

    english = "its backfill was cancelled"


class Replaced(Statement, frozen=True, tag="scheduler.replaced"):
    """A schedule begins anew instead of waiting for its end."""

    english = "it is replaced by a new run"


class NobodyThere(Statement, frozen=True, tag="scheduler.nobody_there"):
    """Every scheduler was away."""

    english = "nothing was there to fire it in time"


class WasPaused(Statement, frozen=True, tag="scheduler.was_paused"):
    """Somebody wanted no fires."""

    english = "it was paused"


class BeingEnded(Statement, frozen=True, tag="scheduler.being_ended"):
    """A new one follows it."""

    english = "its run is being ended already"


class Starting(Statement, frozen=True, tag="scheduler.starting"):
    """One is enough."""

    english = "a run of it is starting already"


class SyncsFail(Statement, frozen=True, tag="scheduler.syncs_fail"):
    """For too long."""

    english = "every sync has failed since {since}; what runs may be old"
    since: Instant


class NobodyAnswers(Statement, frozen=True, tag="scheduler.nobody_answers"):
    """For too long."""

    english = "nobody has answered a request for a sync since {since}; what runs may be old"
    since: Instant
