"""Whoever asks."""

from fastflow_events.aggregates.access.events import Scope
from fastflow_events.aggregates.access.grants import EVERYTHING, RANK, Grant, Role
from msgspec import Struct


class Principal(Struct, frozen=True, kw_only=True):
    """Somebody who may come in."""

    who: str
    """`local`, or `token:ID`; never the name or the address of a person."""
    grants: tuple[Grant, ...]
    scopes: tuple[Scope, ...] = ()
    """Empty for all that the grants allow."""

    @property
    def role(self) -> Role | None:
        """The highest on the whole installation."""
        roles = [grant.role for grant in self.grants if grant.on == EVERYTHING]
        return max(roles, key=RANK.__getitem__, default=None)


LOCAL = Principal(who="local", grants=(Grant("admin"),))
"""Everybody, while nobody has to log in: on loopback that is whoever uses this machine."""
