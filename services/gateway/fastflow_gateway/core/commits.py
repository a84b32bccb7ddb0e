"""What people are shown of a commit."""

from collections.abc import Mapping

from fastflow_events.commit_about import CommitAbout
from msgspec import Struct

from fastflow_gateway.core.git_hosts import commit_url
from fastflow_gateway.core.views.instants import text_of


class ShownCommit(Struct, frozen=True, kw_only=True):
    """What Git says of a commit; empty where nobody knows."""

    subject: str = ""
    author: str = ""
    at: str | None = None
    url: str | None = None


UNKNOWN = ShownCommit()


def shown(commit: str, about: CommitAbout | None, urls: Mapping[str, str]) -> ShownCommit:
    """A commit as it is shown; `urls` are the addresses of the watched repositories."""
    if about is None:
        return UNKNOWN
    return ShownCommit(
        subject=about.subject,
        author=about.author,
        at=text_of(about.at) if about.at else None,
        url=commit_url(urls.get(about.repository, ""), commit),
    )
