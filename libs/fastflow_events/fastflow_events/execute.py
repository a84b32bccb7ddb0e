"""Load, decide, append; on a conflict, again."""

from typing import TypeVar

from fastflow_events.decider import Decider
from fastflow_events.doubts import words_of
from fastflow_events.errors import ConcurrencyError, NewerReleaseError, UntrustedError
from fastflow_events.fact import BrokenFact, UnknownFact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, History, Recorded

C = TypeVar("C")
S = TypeVar("S")

TRIES = 5


def trusted_state(log: EventLog, decider: Decider[C, S], history: History) -> S:
    """The state after a history, if a decision may rest on it.

    Raises:
        UntrustedError: one of its facts cannot be read or folded.
        NewerReleaseError: it holds facts of a newer release.
    """
    log.doubts.check(history.aggregate, history.id)
    if any(isinstance(fact, UnknownFact) and not isinstance(fact, BrokenFact) for fact in history.facts):
        raise NewerReleaseError("this aggregate holds facts of a newer release; upgrade first", id=history.id)
    try:
        return decider.fold(history.facts)
    except Exception as exc:  # a fact that a rule cannot take must not stop whoever asks
        log.doubts.add(history.aggregate, history.id, f"its facts cannot be folded ({words_of(exc)})")
        raise UntrustedError(f"{history.aggregate} {history.id} cannot be folded: {words_of(exc)}") from exc


async def execute(log: EventLog, decider: Decider[C, S], id: str, command: C, *, cause: Cause) -> list[Recorded]:
    """Decide on `command` against the aggregate's history and record the outcome; `[]` means "already so".

    Raises:
        DomainError: a rule refused.
        UntrustedError: one of the aggregate's facts cannot be read.
        ConcurrencyError: still losing the race after several tries.
        NewerReleaseError: the history holds facts of a newer release.
        InfrastructureError: the log failed.
    """
    for attempt in range(1, TRIES + 1):
        history = await log.load(decider.aggregate, id)
        decided = decider.decide(command, trusted_state(log, decider, history))
        if not decided:
            return []
        try:
            return await log.append(history.position, decided, cause=cause)
        except ConcurrencyError:
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")
