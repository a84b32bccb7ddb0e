"""Load, decide, append; on a conflict, again."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from fastflow_events.decider import Decider
from fastflow_events.doubts import Unfoldable, words_of
from fastflow_events.errors import ConcurrencyError, NewerReleaseError, UntrustedError
from fastflow_events.fact import BrokenFact, UnknownFact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, History, Recorded

C = TypeVar("C")
S = TypeVar("S")
T = TypeVar("T")

TRIES = 5


async def retry_on_conflict(attempt: Callable[[], Awaitable[T]], *, tries: int | None = TRIES) -> T:
    """What `attempt` returns, which reads, decides and appends anew each time somebody else was first; None: for ever.

    Raises:
        ConcurrencyError: somebody else was first in every one of the tries.
    """
    for number in count(1):
        try:
            return await attempt()
        except ConcurrencyError:
            if number == tries:
                raise
    raise AssertionError("unreachable")


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
        log.doubts.add(history.aggregate, history.id, Unfoldable(words_of(exc)))
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

    async def attempt() -> list[Recorded]:
        history = await log.load(decider.aggregate, id)
        decided = decider.decide(command, trusted_state(log, decider, history))
        return await log.append(history.position, decided, cause=cause) if decided else []

    return await retry_on_conflict(attempt)
