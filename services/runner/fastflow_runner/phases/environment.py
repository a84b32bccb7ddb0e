"""Environment: the run's packages, from the same lock as every run before."""

import logging

from fastflow_events.aggregates.environment.commands import EnvironmentCommand, RecordFailed, RecordPrepared
from fastflow_events.aggregates.environment.decider import Environment, LockDecidedError, environment_decider
from fastflow_events.aggregates.environment.events import EnvironmentFailed, EnvironmentPrepared
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import (
    ContractError,
    FencedError,
    InfrastructureError,
    UntrustedError,
)
from fastflow_events.execute import execute, retry_on_conflict
from fastflow_events.log import EventLog
from fastflow_events.message import Verbatim, beside
from fastflow_events.recorded import Cause

from fastflow_runner.attempt import AttemptContext, CancelledRunError, Signals
from fastflow_runner.core.orders import input_name
from fastflow_runner.deps import Deps
from fastflow_runner.facts import read_history
from fastflow_runner.ports import DependencyError, Prepared
from fastflow_runner.retrying import retry
from fastflow_runner.retrying_executor import RetryingExecutor

logger = logging.getLogger(__name__)

MAX_REASON_CHARS = 8000


async def prepare(deps: Deps, context: AttemptContext, signals: Signals) -> Prepared:
    """The environment, built if need be; whoever resolves an input first decides its lock.

    Raises:
        DependencyError: a requirement cannot be resolved or installed.
        VolumeChangedError: the code is no longer there; stage it again.
        InfrastructureError: the engine does not answer.
        CancelledRunError: somebody asked for the run's end.
        FencedError: the attempt belongs to somebody else.
    """
    within_s = deps.settings.prepare_timeout_s
    return await prepare_for(deps, context.specification, context.cause, signals, within_s=within_s)


async def prepare_for(
    deps: Deps, specification: Specification, cause: Cause, signals: Signals, *, within_s: float
) -> Prepared:
    """The same for a specification that nobody runs yet, which may not take longer than that."""
    nothing = specification.requirements.source == "none" and specification.kind == "script"
    if nothing or specification.isolation == "jit":
        return await _build(deps.executor, specification, signals, Environment(), within_s)
    name = input_name(specification, None, deps.executor.kind)
    while True:
        known = await _known(deps.log, name, signals)
        try:
            prepared = await _build(deps.executor, specification, signals, known, within_s)
        except DependencyError as exc:
            failed = _failed(deps.holder.engine, exc)
            await _record(deps.log, cause, signals, name, RecordFailed(failed=failed))
            raise
        fact = EnvironmentPrepared(
            engine=deps.holder.engine,
            environment=prepared.environment,
            lock=prepared.lock,
            python=prepared.python,
            uv=prepared.uv,
            prepare_s=prepared.prepare_s,
            size_bytes=prepared.size_bytes,
        )
        try:
            command = RecordPrepared(prepared=fact, generation=known.generation)
            await _record(deps.log, cause, signals, name, command)
        except LockDecidedError:
            continue
        return prepared


def _failed(engine: str, error: DependencyError) -> EnvironmentFailed:
    why = error.statement
    why = why if len(str(why)) <= MAX_REASON_CHARS else Verbatim(str(why)[:MAX_REASON_CHARS])
    return EnvironmentFailed(engine=engine, reason=str(why), reason_message=beside(why))


async def _build(
    executor: RetryingExecutor, specification: Specification, signals: Signals, known: Environment, within_s: float
) -> Prepared:
    lock, generation = known.lock, known.generation
    try:
        preparing = executor.prepare(specification, lock, generation=generation, within_s=within_s)
        return await signals.unless_stopped(preparing)
    except (CancelledRunError, FencedError):
        try:
            await executor.give_up(specification, lock, generation=generation)
        except InfrastructureError as exc:
            logger.warning("what is being prepared goes on: %s", exc, extra={"action": "preparation_left"})
        raise


async def _known(log: EventLog, name: str, signals: Signals) -> Environment:
    history = await signals.unless_stopped(read_history(log, "environment", name))
    return environment_decider.fold(history.facts)


async def _record(log: EventLog, cause: Cause, signals: Signals, name: str, command: EnvironmentCommand) -> None:
    async def append() -> None:
        try:
            await retry_on_conflict(lambda: execute(log, environment_decider, name, command, cause=cause), tries=None)
        except (ContractError, UntrustedError) as exc:
            # A lock too large for a fact, or one beside a fact that cannot be read, is resolved again by every
            # engine, and kept by each.
            logger.warning("the environment is not recorded: %s", exc, extra={"action": "environment_unrecorded"})

    await signals.unless_stopped(retry(append, what="recording the environment"))
