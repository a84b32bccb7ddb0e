"""The facts of a secret; its id is its name, which is the name of the environment variable."""

from typing import Annotated

from msgspec import Meta

from fastflow_events.fact import Fact, wire


@wire("secret.set.v1")
class SecretSet(Fact, frozen=True, kw_only=True):
    """The secret has a new value; runs that are dispatched from now on get it."""

    version: Annotated[int, Meta(ge=1)]
    """Counts up from 1 for ever, over removals too; sealed into the text."""
    sealed: str
    """`sealed:v1:…`; only a runner can open it."""
    who: str


@wire("secret.removed.v1")
class SecretRemoved(Fact, frozen=True, kw_only=True):
    """Runs that are dispatched from now on do not get the secret any more."""

    who: str
