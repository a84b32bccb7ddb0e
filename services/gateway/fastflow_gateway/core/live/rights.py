"""Who may read what goes on: asked when a stream begins, and again on each of its signs of life."""

from fastflow_gateway.core.access.permissions import LOOK, allowed
from fastflow_gateway.core.access.principal import Principal


def may_read(principal: Principal | None, pipeline: str | None) -> bool:
    """Whether somebody may be told of a pipeline; None is everything that is of no pipeline in particular.

    Whoever may look at one may look at all of them.
    """
    return allowed(principal, LOOK)
