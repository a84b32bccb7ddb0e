"""What may be needed, and the one function that says whether somebody may."""

from collections.abc import Mapping

from fastflow_events.aggregates.access.events import Scope
from fastflow_events.aggregates.access.grants import RANK, Role
from msgspec import Struct

from fastflow_gateway.core.access.principal import Principal


class Need(Struct, frozen=True):
    """What somebody must be to do something."""

    role: Role | None
    """None for everybody, also without a token."""
    scope: Scope | None = "read"
    """What a token that is narrowed must be for; None for whatever it is."""


OPEN = Need(None, None)
"""For everybody: it says nothing, or has a proof of its own."""
SELF = Need("viewer", None)
"""To see what concerns oneself."""
LOOK = Need("viewer")
METRICS = Need("operator", "metrics")
INSPECT = Need("operator")
"""To look at what may show values, or costs much."""
START = Need("operator", "trigger")
OPERATE = Need("operator", "operate")
ADMIN = Need("admin", "admin")

ACTIONS: Mapping[str, Need] = {
    "look": LOOK,
    "inspect": INSPECT,
    "start": START,
    "operate": OPERATE,
    "administer": ADMIN,
    "measure": METRICS,
}
"""What people are told that they can, and what it needs."""
COVERS: Mapping[Scope, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "trigger": frozenset({"trigger"}),
    "operate": frozenset({"read", "trigger", "operate"}),
    "admin": frozenset({"read", "trigger", "operate", "admin", "metrics"}),
    "metrics": frozenset({"metrics"}),
}
"""What a token of one scope is good for."""


def allowed(principal: Principal | None, need: Need) -> bool:
    """Whether he may."""
    if need.role is None:
        return True
    if principal is None or principal.role is None or RANK[principal.role] < RANK[need.role]:
        return False
    return need.scope is None or not principal.scopes or any(need.scope in COVERS[scope] for scope in principal.scopes)
