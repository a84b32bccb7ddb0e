"""What the gateway says when git_sync cannot read what it is asked about."""

from fastflow_events.errors import DomainError


class GitUnreadableError(DomainError):
    """The repository cannot be read."""

    code = "git-unreadable"
