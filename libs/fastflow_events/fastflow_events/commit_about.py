"""What Git says of a commit, for people: it may name somebody, so it stands in no fact."""

from datetime import datetime

from msgspec import Struct


class CommitAbout(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What Git says of a commit; what it does not say, or what is not known, is empty."""

    repository: str = ""
    """A watched repository that holds it."""
    subject: str = ""
    """First line of its message, at most 200 characters."""
    author: str = ""
    """A name, never an address."""
    at: datetime | None = None
    """When it was committed."""
