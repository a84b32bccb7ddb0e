"""The packages that a run found installed, out of the lock of its environment."""

from fastflow_events.aggregates.environment.events import EnvironmentPrepared
from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES
from fastflow_events.ids import environment_id
from fastflow_events.log import EventLog

from fastflow_gateway.core.changes.differences import Given
from fastflow_gateway.core.locked_packages import locked
from fastflow_gateway.handlers.planning import BUILDERS


async def packages_of(log: EventLog, given: Given) -> dict[str, str] | None:
    """Name to version; None where nobody knows."""
    if given.specification is None or given.manifest is None:
        return None
    if not given.manifest.environment:
        return {} if given.specification.requirements.source == "none" else None
    wanted, notebook = given.specification.requirements, given.specification.kind == "notebook"
    added = NOTEBOOK_PACKAGES if notebook else ()
    for builder in BUILDERS:
        id = environment_id(builder, given.specification.python, wanted.source, wanted.sha256, added=added)
        for fact in reversed((await log.load("environment", id)).facts):
            if isinstance(fact, EnvironmentPrepared) and fact.environment == given.manifest.environment:
                return locked(fact.lock)
    return None
