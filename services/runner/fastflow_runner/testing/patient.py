"""Environments for tests whose subject is not the index that packages come from."""

from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import InfrastructureError

from fastflow_runner.ports import Executor, Prepared


async def patiently(
    executor: Executor, specification: Specification, lock: str | None = None, *, generation: int = 0
) -> Prepared:
    """The environment; an index may be late once, and a run would ask it again."""
    for _ in range(3):
        try:
            return await executor.prepare(specification, lock, generation=generation)
        except InfrastructureError as late:
            why = late
    raise why
