"""Table `repositories`: one row per watched repository."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from fastflow_events.aggregates.repository.events import (
    Credentials,
    RepositoryConfigured,
    RepositoryDeployKeyGenerated,
    RepositoryRemoved,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)
from fastflow_events.message import all_retold, retold
from fastflow_events.recorded import Recorded
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.reasons import Remarks, wire_of

RepositoryStatus: TypeAlias = Literal["new", "synced", "failed", "removed"]


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
    reason_message: str = ""
    """JSON object: its code and arguments; empty when there is nothing to say."""
    pipelines: int = 0
    invalid: int = 0
    synced_at: str | None = None
    requested_seq: int = 0
    """Stream position of the newest request to fetch; 0 when nobody has asked yet."""
    configured_by: str = "environment"
    """`environment` or `api`; what the environment says cannot be changed by the API."""
    credentials: str = ""
    """What git_sync was given to get in, in words; never a secret."""
    public_key: str = ""
    """Public half of the deploy key, for the Git host."""
    fingerprint: str = ""
    requests: int = 0
    """How many requests to fetch there were."""
    answered: int = 0
    """How many of them were answered by a reading that began after them."""


def project(row: RepositoryRow | None, recorded: Recorded) -> RepositoryRow | None:
    """The row after `recorded`. Total: never refuses a fact."""
    row = row or RepositoryRow(name=recorded.id, seq=recorded.seq)
    fact, seq = recorded.fact, recorded.seq
    match fact:
        case RepositoryConfigured():
            fresh = row.status == "removed" or row.url != fact.url
            return replace(
                row,
                seq=seq,
                status="new" if fresh else row.status,
                url=fact.url,
                branch=fact.branch,
                subfolder=fact.subfolder,
                configured_by=fact.by,
                credentials=words(fact.credentials),
            )
        case RepositoryRemoved():
            gone = RepositoryRow(name=row.name, seq=seq, status="removed")
            return replace(gone, requests=row.requests, answered=row.answered)
        case RepositoryDeployKeyGenerated():
            return replace(row, seq=seq, public_key=fact.public_key, fingerprint=fact.fingerprint)
        case RepositorySyncRequested():
            return replace(row, seq=seq, requested_seq=seq, requests=row.requests + 1)
        case RepositorySynced():
            remarks = Remarks(all_retold(fact.remarks, fact.remarks_messages)) if fact.remarks else None
            return replace(
                row,
                seq=seq,
                status="synced",
                reason=str(remarks or ""),
                reason_message=wire_of(remarks),
                commit_sha=fact.commit,
                pipelines=fact.pipelines,
                invalid=fact.invalid,
                synced_at=text_of(recorded.at),
                answered=max(row.answered, fact.requests),
            )
        case RepositorySyncFailed():
            answered = max(row.answered, fact.requests)
            message = wire_of(retold(fact.reason, fact.reason_message))
            row = replace(row, seq=seq, status="failed", reason=fact.reason, reason_message=message)
            return replace(row, answered=answered)
        case _:
            return row


def fold(history: Iterable[Recorded]) -> RepositoryRow | None:
    """The row after a whole history, oldest first."""
    row: RepositoryRow | None = None
    for recorded in history:
        row = project(row, recorded)
    return row


def words(given: Credentials) -> str:
    """What was given, without what it is."""
    texts = [
        f"user {given.user}" if given.user else "",
        "sealed token" if given.sealed_token else "",
        f"token file {given.token_file}" if given.token_file else "",
        f"SSH key file {given.ssh_key_file}" if given.ssh_key_file else "",
        "known hosts" if given.known_hosts else "",
    ]
    return ", ".join(word for word in texts if word)
