"""Environments deleted that nothing needs, as the log tells: a fold of the facts of all environments, looked at often.

Whether a run is in one is not decided here, but by the locks that runs hold; see `entry.using`.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping

from fastflow_events import subjects
from fastflow_events.aggregates.environment.commands import RecordDeleted
from fastflow_events.aggregates.environment.decider import Environment, environment_decider
from fastflow_events.aggregates.environment.events import EnvironmentDeleted
from fastflow_events.errors import ConcurrencyError, ContractError, DomainError, InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.recorded import Cause
from fastflow_events.service.tasks import turned

from fastflow_runner.deps import Deps

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
IN_USE_S = 60.0
"""How often an environment that is retired and in use is tried again."""


async def clean(deps: Deps) -> None:
    """Delete what is retired on this engine, until cancelled."""
    known: dict[str, Environment] = {}
    seen, tried = 0, dict[str, float]()
    loop = asyncio.get_running_loop()
    while True:
        try:
            async for recorded in deps.log.read(subjects.of_kind("environment"), after_seq=seen):
                seen = recorded.seq
                state = known.get(recorded.id, environment_decider.initial)
                known[recorded.id] = environment_decider.evolve(state, recorded.fact)
            turned()
            names = due(known, deps.holder.engine)
            tried = {name: at for name, at in tried.items() if name in names}
            if wanted := [name for name in sorted(names) if loop.time() - tried.get(name, -IN_USE_S) >= IN_USE_S]:
                tried.update((name, loop.time()) for name in wanted)
                await _delete(deps, known, wanted)
        except (ConcurrencyError, InfrastructureError) as exc:
            logger.warning("environments are not deleted yet: %s", exc, extra={"action": "cleaning_postponed"})
        except Exception:  # an odd fact or folder must not end a runner; the next look goes on behind it
            logger.exception("environments are not deleted", extra={"action": "cleaning_failed"})
        await asyncio.sleep(LOOK_EVERY_S)


def due(known: Mapping[str, Environment], engine: str) -> set[str]:
    """Folders of this engine that some input has retired and none needs."""
    there = {name for state in known.values() for _, name in _here(state, engine)}
    needed = {name for state in known.values() for _, name in state.folders if name not in state.retired}
    return there - needed


def _here(state: Environment, engine: str) -> Iterator[tuple[str, str]]:
    """What lies on this engine; a machine that was started anew is another engine, but for the key that stayed."""
    daemon, _, key = engine.rpartition("/")
    for pair in state.folders:
        theirs, _, other = pair[0].rpartition("/")
        if theirs == daemon or other == key:
            yield pair


async def _delete(deps: Deps, known: Mapping[str, Environment], names: list[str]) -> None:
    freed = await deps.executor.delete(names)
    for id, state in sorted(known.items()):
        for engine, name in sorted(_here(state, deps.holder.engine)):
            if name in freed:
                fact = EnvironmentDeleted(engine=engine, environment=name, freed_bytes=freed[name])
                # Inputs that share a folder would count it more than once.
                freed[name] = 0
                cause = Cause(correlation_id=f"clean-{name}")
                try:
                    await execute(deps.log, environment_decider, id, RecordDeleted(deleted=fact), cause=cause)
                except (DomainError, ContractError) as exc:
                    logger.warning("not said to be deleted: %s", exc, extra={"action": "deletion_unsaid", "input": id})
    context = {"action": "environments_deleted", "deleted": len(freed), "in_use": len(names) - len(freed)}
    logger.info("environments deleted", extra=context)
