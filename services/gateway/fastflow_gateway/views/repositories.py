"""Table `repositories`: one row per watched repository."""

from typing import Literal, TypeAlias

from fastflow_events.recorded import Recorded
from fastflow_events.repository.events import (
    RepositoryConfigured,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.views.instants import text_of

RepositoryStatus: TypeAlias = Literal["new", "synced", "failed"]


class RepositoryRow(Struct, frozen=True):
    """One repository. Instants are RFC 3339 UTC text."""

    name: str
    seq: int
    """Stream position of the fact that changed the row last."""
    status: RepositoryStatus = "new"
    url: str = ""
    branch: str = ""
    subfolder: str = ""
    commit_sha: str | None = None
    reason: str = ""
    """Why the last attempt to read the head failed."""
    pipelines: int = 0
    invalid: int = 0
    synced_at: str | None = None
    requested_seq: int = 0
    """Stream position of the newest wish to fetch; 0 when nobody has asked yet."""


def project(row: RepositoryRow | None, recorded: Recorded) -> RepositoryRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    row = row or RepositoryRow(name=recorded.id, seq=recorded.seq)
    fact, seq = recorded.fact, recorded.seq
    match fact:
        case RepositoryConfigured():
            return replace(row, seq=seq, url=fact.url, branch=fact.branch, subfolder=fact.subfolder)
        case RepositorySyncRequested():
            return replace(row, seq=seq, requested_seq=seq)
        case RepositorySynced():
            return replace(
                row,
                seq=seq,
                status="synced",
                reason="",
                commit_sha=fact.commit,
                pipelines=fact.pipelines,
                invalid=fact.invalid,
                synced_at=text_of(recorded.at),
            )
        case RepositorySyncFailed():
            return replace(row, seq=seq, status="failed", reason=fact.reason)
        case _:
            return row
