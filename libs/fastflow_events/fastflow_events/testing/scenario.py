"""given facts, when a command, then facts."""

from collections.abc import Sequence

from fastflow_events.aggregates.run.commands import RunCommand
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.fact import Fact


def when(command: RunCommand, *, given: Sequence[Fact] = ()) -> list[Fact]:
    """What a run's rules answer to `command` after the facts in `given`."""
    return run_decider.decide(command, run_decider.fold(given))
