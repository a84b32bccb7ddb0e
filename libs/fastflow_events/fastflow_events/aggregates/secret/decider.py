"""The rules of a secret: versions count up and are never given twice."""

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.absent import NoSuchSecret
from fastflow_events.aggregates.secret.commands import RemoveSecret, SecretCommand, SetSecret
from fastflow_events.aggregates.secret.events import SecretRemoved, SecretSet
from fastflow_events.decider import Decider
from fastflow_events.errors import DomainError, NotFoundError
from fastflow_events.fact import Fact


class Secret(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a secret."""

    version: int = 0
    """The last one given; 0 before the first."""
    sealed: str = ""
    removed: bool = False


class VersionTakenError(DomainError):
    """The value was sealed for a version that is not the next one; seal it again."""

    code = "secret-version-taken"


def decide(command: SecretCommand, secret: Secret) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        VersionTakenError: the version is not the next one.
        NotFoundError: there never was such a secret.
    """
    match command:
        case SetSecret(version=version, sealed=sealed, who=who):
            if version == secret.version and sealed == secret.sealed and not secret.removed:
                return []
            if version != secret.version + 1:
                raise VersionTakenError(
                    "the value was not sealed for the next version", version=version, next=secret.version + 1
                )
            return [SecretSet(version=version, sealed=sealed, who=who)]
        case RemoveSecret(who=who):
            if secret.version == 0:
                raise NotFoundError(NoSuchSecret())
            return [] if secret.removed else [SecretRemoved(who=who)]


def evolve(secret: Secret, fact: Fact) -> Secret:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case SecretSet():
            return Secret(version=fact.version, sealed=fact.sealed)
        case SecretRemoved():
            return replace(secret, removed=True)
        case _:
            return secret


secret_decider: Decider[SecretCommand, Secret] = Decider(
    aggregate="secret", initial=Secret(), decide=decide, evolve=evolve
)
