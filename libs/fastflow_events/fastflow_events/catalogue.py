"""Every fact there is."""

import pkgutil
from importlib import import_module, util

import fastflow_events
from fastflow_events.fact import Fact, wire_types


def facts() -> dict[str, type[Fact]]:
    """Wire name to struct, in the order of the wire names; every aggregate's module is imported for it."""
    for module in pkgutil.iter_modules(fastflow_events.__path__, "fastflow_events."):
        if module.ispkg and util.find_spec(f"{module.name}.events") is not None:
            import_module(f"{module.name}.events")
    return dict(sorted(wire_types().items()))
