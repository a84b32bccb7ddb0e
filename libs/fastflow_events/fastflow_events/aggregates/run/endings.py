"""What is said of the ends of attempts and runs by the rules themselves; runners say more."""

from fastflow_events.message import Statement


class RunnerGone(Statement, frozen=True, tag="run.runner_gone"):
    """The lease of whoever held the attempt ran out for good."""

    english = "runner {runner} did not come back"
    runner: str


class CancelledUnstarted(Statement, frozen=True, tag="run.cancelled_unstarted"):
    """Nobody had taken it yet."""

    english = "cancelled before it was started"


class Cancelled(Statement, frozen=True, tag="run.cancelled"):
    """It ended because somebody asked for it."""

    english = "cancelled"


class CancelledWhile(Statement, frozen=True, tag="run.cancelled_while"):
    """It was to end, and something is to be said of how it did."""

    english = "cancelled: {ending}"
    ending: Statement


def cancelled(ending: Statement | None) -> Statement:
    """The end of a cancelled attempt of which `ending` would have been said."""
    return Cancelled() if ending is None else CancelledWhile(ending)
