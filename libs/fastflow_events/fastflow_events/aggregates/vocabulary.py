"""Every fact of this release: whoever reads the log knows all of them, whichever it was written to use itself."""

from collections.abc import Mapping
from types import ModuleType

from fastflow_events.aggregates.access import events as access
from fastflow_events.aggregates.backfill import events as backfill
from fastflow_events.aggregates.chain import events as chain
from fastflow_events.aggregates.environment import events as environment
from fastflow_events.aggregates.keyring import events as keyring
from fastflow_events.aggregates.pipeline import events as pipeline
from fastflow_events.aggregates.queue import events as queue
from fastflow_events.aggregates.repository import events as repository
from fastflow_events.aggregates.run import events as run
from fastflow_events.aggregates.schedule import events as schedule
from fastflow_events.aggregates.secret import events as secret
from fastflow_events.aggregates.setting import events as settings
from fastflow_events.fact import Fact, wire_types

AGGREGATES: Mapping[str, ModuleType] = {
    "access": access,
    "backfill": backfill,
    "chain": chain,
    "environment": environment,
    "keyring": keyring,
    "pipeline": pipeline,
    "queue": queue,
    "repository": repository,
    "run": run,
    "schedule": schedule,
    "secret": secret,
    "settings": settings,
}
"""Kind of aggregate to the module that holds its facts; importing them is what makes the facts known."""


def known_facts() -> Mapping[str, type[Fact]]:
    """Every current fact by its wire name."""
    return wire_types()
