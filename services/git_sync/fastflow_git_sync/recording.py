"""Decide on what the rows say; when they are behind, on what the log says."""

import logging
from typing import TypeVar

from fastflow_events.aggregates.repository.commands import RepositoryCommand
from fastflow_events.aggregates.repository.decider import repository_decider
from fastflow_events.decider import Decider
from fastflow_events.errors import UntrustedError
from fastflow_events.execute import retry_on_conflict, trusted_state
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, Position, Recorded
from msgspec.structs import replace

from fastflow_git_sync.deps import Deps
from fastflow_git_sync.ports import Known

logger = logging.getLogger(__name__)

C = TypeVar("C")
S = TypeVar("S")


async def record(log: EventLog, decider: Decider[C, S], known: Known[S], command: C, *, cause: Cause) -> list[Recorded]:
    """Append what follows from `command`; `[]` means "already so". Costs no read unless somebody else was faster.

    Facts are appended one by one: whoever stops in between and decides anew gets the rest, the deciders used here see
    to that, and an atomic batch of two costs the server some twenty times what two appends cost.

    Raises:
        DomainError: a rule refused.
        ConcurrencyError: still losing the race after several tries.
        UntrustedError: one of the facts cannot be read.
        NewerReleaseError: the history holds facts of a newer release.
        InfrastructureError: the log failed.
    """
    done: list[Recorded] = []
    rows: Known[S] | None = known

    async def attempt() -> list[Recorded]:
        nonlocal rows
        current, rows = rows or await _as_the_log_says(log, decider, known.position), None
        position = current.position
        for fact in decider.decide(command, current.state):
            [recorded] = await log.append(position, [fact], cause=cause)
            position = replace(position, seq=recorded.seq, version=recorded.version)
            done.append(recorded)
        return done

    return await retry_on_conflict(attempt)


async def _as_the_log_says(log: EventLog, decider: Decider[C, S], position: Position) -> Known[S]:
    history = await log.load(position.aggregate, position.id)
    return Known(trusted_state(log, decider, history), history.position)


async def record_repository(deps: Deps, name: str, command: RepositoryCommand, cause: Cause) -> bool:
    """Append what follows for a repository; True when it was news. Nothing is said of one that cannot be trusted.

    Raises:
        DomainError: a rule refused.
        InfrastructureError: the log failed.
    """
    known = await deps.repositories.known(name)
    try:
        return bool(await record(deps.log, repository_decider, known, command, cause=cause))
    except UntrustedError as exc:
        logger.warning("nothing is said: %s", exc, extra={"action": "repository_untrusted", "repository": name})
        return False
