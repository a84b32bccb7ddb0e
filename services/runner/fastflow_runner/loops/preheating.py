"""Environments made before anybody waits for them: one after the other, as new versions of pipelines are stored."""

import asyncio
import logging
from collections.abc import Mapping

from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import ContractError, FastflowError, InfrastructureError
from fastflow_events.recorded import Cause
from fastflow_events.service import telemetry
from fastflow_events.service.tasks import turned

from fastflow_runner.attempt import Signals
from fastflow_runner.bus import Arrival, Arrivals
from fastflow_runner.deps import Deps
from fastflow_runner.phases import code, environment
from fastflow_runner.ports import DependencyError
from fastflow_runner.retrying import FIRST_PAUSE_S, LONGEST_PAUSE_S

logger = logging.getLogger(__name__)

STILL_AT_IT_S = 10.0
"""How often the bus hears that a long preparation goes on."""
RETRY_AFTER_S = 30.0


async def preheat(deps: Deps, arrivals: Arrivals) -> None:
    """Prepare what arrives, until cancelled; a run never waits for it, and does the same work itself if need be."""
    turned()  # whoever waits for something to arrive has done all there is to do
    while True:
        try:
            arrival = await arrivals.next()
        except InfrastructureError as exc:
            logger.warning("nothing is prepared ahead: %s", exc, extra={"action": "preheat_unreachable"})
            await asyncio.sleep(LONGEST_PAUSE_S)
            continue
        if arrival is None:
            await asyncio.sleep(FIRST_PAUSE_S)
        else:
            with telemetry.bind(pipeline=arrival.recorded.id):
                await _see_to(deps, arrival)


async def reheat(deps: Deps, known: Mapping[str, str]) -> None:
    """Prepare once more what this engine has lost of the pipelines whose trees are `known` from before the start.

    The bus tells of a version once, and one runner: where the shared volume is new, nobody would be told again.
    """
    left = dict(known)
    while left:
        try:
            for pipeline, tree in known.items():
                if pipeline in left and not await deps.executor.has_code(tree):
                    with telemetry.bind(pipeline=pipeline):
                        await _once_more(deps, pipeline)
                left.pop(pipeline, None)
        except InfrastructureError as exc:
            logger.warning("not prepared again yet: %s", exc, extra={"action": "reheat_postponed"})
            await asyncio.sleep(LONGEST_PAUSE_S)


async def _once_more(deps: Deps, pipeline: str) -> None:
    history = await deps.log.load("pipeline", pipeline)
    tree = pipeline_decider.fold(history.facts).tree
    stored = (fact for fact in reversed(history.facts) if isinstance(fact, PipelineVersionStored) and fact.tree == tree)
    if (newest := next(stored, None)) is None:
        return
    try:
        await _make(deps, newest, pipeline, Cause(correlation_id=f"reheat-{newest.tree[:12]}"))
    except DependencyError as exc:
        logger.warning("its packages cannot be had: %s", exc, extra={"action": "preheat_failed"})
    except InfrastructureError:
        raise
    except FastflowError as exc:
        logger.warning("not prepared ahead: %s", exc, extra={"action": "preheat_dropped"})


def ahead(fact: PipelineVersionStored, pipeline: str, default_python: str) -> Specification | None:
    """What a run of this version would need prepared; None when there is nothing to prepare."""
    if fact.definition.get("isolation") == "jit" or fact.definition.get("enabled") is False:
        return None
    python, kind = fact.definition.get("python"), fact.definition.get("kind")
    return Specification(
        pipeline=pipeline,
        repository=fact.repository,
        commit=fact.commit,
        tree=fact.tree,
        python=python if isinstance(python, str) else default_python,
        requirements=fact.requirements,
        kind="notebook" if kind == "notebook" else "script",
        entry_point="main.ipynb" if kind == "notebook" else "main.py",
    )


async def _see_to(deps: Deps, arrival: Arrival) -> None:
    ticking = asyncio.ensure_future(_tick(arrival))
    try:
        await _prepare(deps, arrival)
    except DependencyError as exc:
        logger.warning("its packages cannot be had: %s", exc, extra={"action": "preheat_failed"})
        await arrival.settle()
    except InfrastructureError as exc:
        logger.warning("not prepared ahead yet: %s", exc, extra={"action": "preheat_postponed"})
        await arrival.give_back(RETRY_AFTER_S)
    except (FastflowError, ContractError) as exc:
        logger.warning("not prepared ahead: %s", exc, extra={"action": "preheat_dropped"})
        await arrival.settle()
    else:
        await arrival.settle()
    finally:
        ticking.cancel()


async def _prepare(deps: Deps, arrival: Arrival) -> None:
    fact = arrival.recorded.fact
    if not isinstance(fact, PipelineVersionStored):
        return
    history = await deps.log.load("pipeline", arrival.recorded.id)
    # A version that somebody asked for by name, or that is no longer the newest, is prepared when it runs.
    if pipeline_decider.fold(history.facts).tree == fact.tree:
        await _make(deps, fact, arrival.recorded.id, arrival.recorded.because())


async def _make(deps: Deps, fact: PipelineVersionStored, pipeline: str, cause: Cause) -> None:
    specification = ahead(fact, pipeline, deps.settings.default_python)
    if specification is None:
        return
    signals = Signals()
    await code.stage_tree(deps, fact.tree, signals)
    prepared = await environment.prepare_for(
        deps, specification, cause, signals, within_s=deps.settings.pre_heat_timeout_s
    )
    context = {"action": "preheated", "environment": prepared.environment, "prepare_s": prepared.prepare_s}
    logger.info("prepared ahead", extra=context)


async def _tick(arrival: Arrival) -> None:
    while True:
        await asyncio.sleep(STILL_AT_IT_S)
        await arrival.still_at_it()
