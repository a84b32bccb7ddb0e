"""Decide on what the rows say; when they are behind, on what the log says."""

from typing import TypeVar

from fastflow_events.decider import Decider
from fastflow_events.errors import ConcurrencyError, ContractError
from fastflow_events.execute import TRIES
from fastflow_events.fact import UnknownFact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.repository.commands import RepositoryCommand
from fastflow_events.repository.decider import repository_decider

from fastflow_git_sync.deps import Deps
from fastflow_git_sync.ports import Known

C = TypeVar("C")
S = TypeVar("S")


async def record(log: EventLog, decider: Decider[C, S], known: Known[S], command: C, *, cause: Cause) -> list[Recorded]:
    """Append what follows from `command`; `[]` means "already so". Costs no read unless somebody else was faster.

    Raises:
        DomainError: a rule refused.
        ConcurrencyError: still losing the race after several tries.
        ContractError: the history holds facts of a newer release.
        InfrastructureError: the log failed.
    """
    for attempt in range(1, TRIES + 1):
        facts = decider.decide(command, known.state)
        try:
            return await log.append(known.position, facts, cause=cause) if facts else []
        except ConcurrencyError:
            if attempt == TRIES:
                raise
        history = await log.load(known.position.aggregate, known.position.id)
        if any(isinstance(fact, UnknownFact) for fact in history.facts):
            raise ContractError("this aggregate holds facts of a newer release; upgrade first", id=history.id)
        known = Known(decider.fold(history.facts), history.position)
    raise AssertionError("unreachable")


async def record_repository(deps: Deps, name: str, command: RepositoryCommand, cause: Cause) -> bool:
    """Append what follows for a repository; True when it was news.

    Raises:
        DomainError: a rule refused.
        InfrastructureError: the log failed.
    """
    known = await deps.repositories.known(name)
    return bool(await record(deps.log, repository_decider, known, command, cause=cause))
