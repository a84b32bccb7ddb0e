"""Start: user code begins, once, and only while the lease lives."""

import asyncio
import logging

from fastflow_events.errors import InfrastructureError

from fastflow_runner.attempt import AttemptContext, Signals, nonce_of
from fastflow_runner.core.unsealing import Opened
from fastflow_runner.deps import Deps
from fastflow_runner.phases import secrets
from fastflow_runner.ports import Keep, Launch, NotAfterError, Prepared, Started
from fastflow_runner.retrying import is_permanent, pauses
from fastflow_runner.retrying_executor import RetryingExecutor
from fastflow_runner.settings import RunnerSettings

logger = logging.getLogger(__name__)


async def start(deps: Deps, context: AttemptContext, signals: Signals, prepared: Prepared) -> Started:
    """Start user code, or find it started; returns only when one is certain.

    Raises:
        ImageMissingError: the worker image is not on the engine.
        InfrastructureError: the engine fails, and user code was certainly not started.
        CancelledRunError: somebody asked for the run's end before.
        FencedError: the attempt belongs to somebody else.
    """
    opened = await secrets.opened(deps.vault, context, signals)
    while True:
        not_after = await signals.unless_stopped(deps.lease.not_after())
        signals.check()
        launch = Launch(
            ref=context.ref,
            specification=context.specification,
            prepared=prepared,
            env=env_of(context, opened),
            left_out=opened.left_out,
            nonce=nonce_of(deps.key, context.ref),
            not_after=not_after,
            keep=_keep(deps.settings),
        )
        try:
            # Not interrupted by a cancel: whether user code was started must be known afterwards.
            return await _launch(deps, signals, launch)
        except NotAfterError:
            await deps.executor.remove(context.ref)


def env_of(context: AttemptContext, opened: Opened) -> dict[str, str]:
    """The run's environment; the specification names no variable twice.

    The caller's trace is what the script goes on with, unless its pipeline says another one. Nobody can override the
    last ones, to which the executor adds those that are paths.
    """
    return {
        **({"TRACEPARENT": context.traceparent} if context.traceparent else {}),
        **context.specification.env,
        **opened.values,
        "FASTFLOW_RUN_ID": context.ref.run_id,
        "FASTFLOW_PIPELINE": context.specification.pipeline,
        "FASTFLOW_ATTEMPT": str(context.ref.attempt),
        "FASTFLOW_TRIGGER": context.trigger,
    }


def _keep(settings: RunnerSettings) -> Keep:
    return Keep(
        count=settings.max_artifacts,
        file_bytes=settings.max_artifact_bytes,
        total_bytes=settings.max_artifacts_bytes,
    )


async def _launch(deps: Deps, signals: Signals, launch: Launch) -> Started:
    loop = asyncio.get_running_loop()
    give_up = loop.time() + deps.settings.retry_for_s
    for pause in pauses():
        try:
            return await deps.executor.launch(launch)
        except InfrastructureError as exc:
            stopping = signals.cancelled.is_set() or signals.fenced.is_set()
            if stopping or is_permanent(exc) or loop.time() + pause > give_up:
                if (started := await _settle(deps.executor, launch)) is not None:
                    return started
                signals.check()
                raise
            logger.warning("user code is not started yet: %s", exc, extra={"action": "start_again"})
            await asyncio.sleep(pause)
    raise AssertionError("unreachable")


async def _settle(executor: RetryingExecutor, launch: Launch) -> Started | None:
    """Find out whether user code was started after all, and make sure that it will not be later."""
    await executor.stop(launch.ref, grace_s=0)
    return await executor.started(launch.ref)
