"""What may be asked of an environment; its id is the hash of its input."""

from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.environment.events import EnvironmentDeleted, EnvironmentFailed, EnvironmentPrepared


class RecordPrepared(Struct, frozen=True, kw_only=True):
    """The input was resolved, or taken as resolved before, and installed."""

    prepared: EnvironmentPrepared
    generation: int = 0
    """How often the input had been refreshed when the lock was looked at."""


class RefreshEnvironment(Struct, frozen=True, kw_only=True):
    """Resolve the input anew when it is needed next."""

    who: str


class RetireEnvironments(Struct, frozen=True, kw_only=True):
    """Give up folders that nothing needs."""

    environments: tuple[str, ...]
    who: str


class RecordDeleted(Struct, frozen=True, kw_only=True):
    """A folder is gone."""

    deleted: EnvironmentDeleted


class RecordFailed(Struct, frozen=True, kw_only=True):
    """The input could not be resolved or installed."""

    failed: EnvironmentFailed


EnvironmentCommand: TypeAlias = RecordPrepared | RecordFailed | RefreshEnvironment | RetireEnvironments | RecordDeleted
