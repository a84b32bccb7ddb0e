"""The rules of an environment: the first lock is the lock."""

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.absent import NoSuchEnvironment
from fastflow_events.aggregates.environment.commands import (
    EnvironmentCommand,
    RecordDeleted,
    RecordFailed,
    RecordPrepared,
    RefreshEnvironment,
    RetireEnvironments,
)
from fastflow_events.aggregates.environment.events import (
    EnvironmentDeleted,
    EnvironmentFailed,
    EnvironmentPrepared,
    EnvironmentRefreshed,
    EnvironmentRetired,
)
from fastflow_events.decider import Decider
from fastflow_events.errors import DomainError, NotFoundError
from fastflow_events.fact import Fact


class Environment(Struct, frozen=True, kw_only=True):
    """What the rules need to know of an environment."""

    lock: str | None = None
    """What every later preparation installs; None until the first one, and from a refresh until the next."""
    generation: int = 0
    """How often it was refreshed."""
    environments: frozenset[tuple[str, str]] = frozenset()
    """Engine and hash of everything that was installed and is still to be used."""
    folders: frozenset[tuple[str, str]] = frozenset()
    """The same of everything that was installed and was not deleted."""
    retired: frozenset[str] = frozenset()
    """Hashes of the folders that may be deleted."""
    failures: dict[str, str] = {}
    """Engine to the reason why its last preparation failed."""


class LockDecidedError(DomainError):
    """The input has been resolved before, to another lock; install that one."""

    code = "lock-decided"


def decide(command: EnvironmentCommand, environment: Environment) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        LockDecidedError: somebody resolved the input first, to another lock, or wants it resolved anew.
        NotFoundError: there is nothing to refresh.
    """
    match command:
        case RecordPrepared(prepared=prepared):
            if command.generation != environment.generation:
                raise LockDecidedError("the input has been refreshed meanwhile")
            if environment.lock is not None and environment.lock != prepared.lock:
                raise LockDecidedError("the input has been resolved before, to another lock")
            return [] if (prepared.engine, prepared.environment) in environment.environments else [prepared]
        case RecordFailed(failed=failed):
            return [] if environment.failures.get(failed.engine) == failed.reason else [failed]
        case RefreshEnvironment(who=who):
            if environment == Environment():
                raise NotFoundError(NoSuchEnvironment())
            return [] if environment.lock is None else [EnvironmentRefreshed(who=who)]
        case RetireEnvironments(environments=names, who=who):
            there = {name for _, name in environment.folders} - environment.retired
            retired = tuple(sorted(there.intersection(names)))
            return [EnvironmentRetired(environments=retired, who=who)] if retired else []
        case RecordDeleted(deleted=deleted):
            return [deleted] if (deleted.engine, deleted.environment) in environment.folders else []


def evolve(environment: Environment, fact: Fact) -> Environment:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case EnvironmentPrepared():
            return Environment(
                generation=environment.generation,
                lock=fact.lock,
                environments=environment.environments | {(fact.engine, fact.environment)},
                folders=environment.folders | {(fact.engine, fact.environment)},
                retired=environment.retired - {fact.environment},
                failures={e: reason for e, reason in environment.failures.items() if e != fact.engine},
            )
        case EnvironmentRefreshed():
            return Environment(
                generation=environment.generation + 1, folders=environment.folders, retired=environment.retired
            )
        case EnvironmentRetired(environments=names):
            used = frozenset(pair for pair in environment.environments if pair[1] not in names)
            return replace(environment, environments=used, retired=environment.retired | frozenset(names))
        case EnvironmentDeleted():
            gone = {(fact.engine, fact.environment)}
            folders = environment.folders - gone
            return replace(
                environment,
                environments=environment.environments - gone,
                folders=folders,
                retired=environment.retired & {name for _, name in folders},
            )
        case EnvironmentFailed():
            return replace(environment, failures={**environment.failures, fact.engine: fact.reason})
        case _:
            return environment


environment_decider: Decider[EnvironmentCommand, Environment] = Decider(
    aggregate="environment", initial=Environment(), decide=decide, evolve=evolve
)
