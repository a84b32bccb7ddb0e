"""Load, decide, append; on a conflict, again."""

from typing import TypeVar

from fastflow_events.decider import Decider
from fastflow_events.errors import ConcurrencyError, ContractError
from fastflow_events.fact import UnknownFact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, Recorded

C = TypeVar("C")
S = TypeVar("S")

TRIES = 5


async def execute(log: EventLog, decider: Decider[C, S], id: str, command: C, *, cause: Cause) -> list[Recorded]:
    """Decide on `command` against the aggregate's history and record the outcome; `[]` means "already so".

    Raises:
        DomainError: a rule refused.
        ConcurrencyError: still losing the race after several tries.
        ContractError: the history holds facts of a newer release.
        InfrastructureError: the log failed.
    """
    for attempt in range(1, TRIES + 1):
        history = await log.load(decider.aggregate, id)
        if any(isinstance(fact, UnknownFact) for fact in history.facts):
            raise ContractError("this aggregate holds facts of a newer release; upgrade first", id=id)
        decided = decider.decide(command, decider.fold(history.facts))
        if not decided:
            return []
        try:
            return await log.append(history.position, decided, cause=cause)
        except ConcurrencyError:
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")
