"""How a watched repository looks to people."""

from fastflow_events.aggregates.repository.events import ConfiguredBy
from fastflow_events.message import Message
from msgspec import Struct

from fastflow_gateway.core.commits import ShownCommit
from fastflow_gateway.core.git_hosts import repository_url
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.core.views.repositories import RepositoryRow, RepositoryStatus


class RepositoryResponse(Struct, frozen=True, kw_only=True):
    """One repository. Instants are RFC 3339 UTC text."""

    name: str
    seq: int
    """Stream position of the fact that changed it last."""
    status: RepositoryStatus
    url: str
    branch: str
    subfolder: str
    commit_sha: str | None
    reason: str
    """Why the last attempt to read the head failed, or what is to be said of one that did not."""
    reason_message: Message | None
    pipelines: int
    invalid: int
    synced_at: InstantText | None
    requested_seq: int
    """Stream position of the newest request to fetch; 0 when nobody has asked yet."""
    configured_by: ConfiguredBy
    """`environment` or `api`; what the environment says cannot be changed by the API."""
    credentials: str
    """What git_sync was given to get in, in words; never a secret."""
    public_key: str
    """Public half of the deploy key, for the Git host."""
    fingerprint: str
    commit_subject: str
    """First line of the head's message."""
    commit_author: str
    committed_at: InstantText | None
    commit_url: str | None
    """Its page at the Git host, where that is one whose pages are known."""
    web_url: str | None
    """The repository's page there."""
    requests: int
    """How many requests to fetch there were."""
    answered: int
    """How many of them were answered by a reading that began after them."""


_SAME = frozenset(RepositoryResponse.__struct_fields__) & frozenset(RepositoryRow.__struct_fields__) - {
    "reason_message"
}


def show_repository(row: RepositoryRow, head: ShownCommit) -> RepositoryResponse:
    """The row without its SQL, with what Git says of its head."""
    return RepositoryResponse(
        reason_message=message_of(row.reason_message),
        commit_subject=head.subject,
        commit_author=head.author,
        committed_at=head.at,
        commit_url=head.url,
        web_url=repository_url(row.url),
        **{name: getattr(row, name) for name in _SAME},
    )
