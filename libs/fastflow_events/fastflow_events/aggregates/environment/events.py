"""The facts of an environment; its id is the hash of its input."""

from fastflow_events.fact import Fact, wire
from fastflow_events.message import Message
from fastflow_events.types import Bytes, Seconds


@wire("environment.prepared.v1")
class EnvironmentPrepared(Fact, frozen=True, kw_only=True):
    """The input was resolved to this lock and installed."""

    engine: str
    environment: str
    """Hash of lock, interpreter build, platform and uv; names the folder."""
    lock: str
    """The resolved requirements with the hashes of their files."""
    python: str
    uv: str
    prepare_s: Seconds
    size_bytes: Bytes = 0
    """Of its files; those that other environments have too are on the disk once. 0 when nobody measured."""


@wire("environment.refreshed.v1")
class EnvironmentRefreshed(Fact, frozen=True, kw_only=True):
    """Somebody wants the input resolved anew: the lock there was is nobody's any more."""

    who: str


@wire("environment.retired.v1")
class EnvironmentRetired(Fact, frozen=True, kw_only=True):
    """Nothing needs these folders any more: engines may delete them once no run is in them. The lock stays."""

    environments: tuple[str, ...]
    """Hashes that name the folders."""
    who: str


@wire("environment.deleted.v1")
class EnvironmentDeleted(Fact, frozen=True, kw_only=True):
    """A retired folder is gone from this engine; a run that needs it again has it made from the same lock."""

    engine: str
    environment: str
    freed_bytes: Bytes = 0
    """What the disk has got back; 0 when the folder was gone before, or for an input that shared it with another."""


@wire("environment.failed.v1")
class EnvironmentFailed(Fact, frozen=True, kw_only=True):
    """The input could not be resolved or installed."""

    engine: str
    reason: str
    """uv's own words, credentials removed."""
    reason_message: Message | None = None
