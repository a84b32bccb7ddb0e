"""Stream: from the start of user code to its end, output included.

Three things happen side by side until the engine says how the attempt ended: its output is read, chunks of it are
stored, and whatever must end it (a cancel, a fence, a time limit the entry program did not keep) is waited for.
A broken stream is read again from where it broke, and is never taken for an end.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from fastflow_events.aggregates.run.commands import StartAttempt
from fastflow_events.errors import InfrastructureError
from fastflow_events.output import OutFrame
from fastflow_events.service.tasks import background
from msgspec import Struct
from msgspec.structs import replace

from fastflow_runner.attempt import AttemptContext, Signals, nonce_of
from fastflow_runner.core.masking import Mask
from fastflow_runner.core.notices import beforehand, not_kept
from fastflow_runner.deps import Deps
from fastflow_runner.facts import record
from fastflow_runner.phases import secrets
from fastflow_runner.phases.shipper import shipper_of
from fastflow_runner.ports import Exit, Frame, Started
from fastflow_runner.retrying import pauses, retry
from fastflow_runner.retrying_executor import RetryingExecutor
from fastflow_runner.shipping import Shipper

logger = logging.getLogger(__name__)

CANCEL_GRACE_S = 10.0
SLACK_BYTES = 65_536
"""The entry program keeps the cap; what ends it may say a little more."""
OVERDUE_S = 45.0
"""How long after its time limit the runner ends an attempt itself: the entry program's grace period, and some."""


class Watched(Struct, kw_only=True):
    """What was noticed besides the exit."""

    overdue: bool = False


async def stream(
    deps: Deps, context: AttemptContext, signals: Signals, started: Started, *, fresh: bool
) -> tuple[Exit, Watched, Shipper]:
    """See the attempt through; its output is stored completely, closing chunk included.

    Raises:
        FencedError: the attempt belongs to somebody else.
    """
    mask = await secrets.mask_of(deps.vault, context, started)
    most_bytes = context.specification.limits.output_bytes + SLACK_BYTES
    shipper = await shipper_of(deps, context, lead=beforehand(started), mask=mask, most_bytes=most_bytes, fresh=fresh)
    watched = Watched()
    async with background(shipper.send(), _until_fenced(signals), _end_it(deps, context, signals, started, watched)):
        async with background(_follow(deps.executor, context, shipper)):
            await _say_started(deps, context, started)
            deps.passed("started")
            nonce = nonce_of(deps.key, context.ref)
            exit = await deps.executor.wait(context.ref, nonce)
        deps.passed("ended")
        if not _has_everything(shipper, exit):
            await _read_rest(deps.executor, context, shipper)
        exit = masked(exit, mask)
        exit = await _close(shipper, exit, started)
    deps.passed("streamed")
    return exit, watched, shipper


def _has_everything(shipper: Shipper, exit: Exit) -> bool:
    """True when as many bytes were read as the entry program handed on, and nothing says that some are missing."""
    return exit.sent_bytes == shipper.tally.engine_bytes and not exit.dropped_bytes


def masked(exit: Exit, mask: Mask | None) -> Exit:
    """No value of a secret leaves in another way."""
    if mask is None:
        return exit
    return replace(
        exit,
        route=None if exit.route is None else mask.text(exit.route),
        result=None if exit.result is None else mask.text(exit.result),
        kept=tuple((mask.text(path), size) for path, size in exit.kept),
        left=tuple((mask.text(path), why) for path, why in exit.left),
        notebook=None if exit.notebook is None else replace(exit.notebook, why=mask.text(exit.notebook.why)),
    )


async def _close(shipper: Shipper, exit: Exit, started: Started) -> Exit:
    """Say what the runner has to say at the end, and close; what was lost or refused of the output is dropped."""
    at = exit.finished_at or started.at
    lost_bytes = max(0, (exit.sent_bytes or 0) - shipper.tally.engine_bytes)
    if lost_bytes:
        logger.warning("the engine lost output", extra={"action": "output_lost", "lost_bytes": lost_bytes})
    lost_bytes += shipper.refused_bytes
    if lost_bytes:
        await shipper.add(OutFrame(stream="stdout", at=at, data=b""), gap_bytes=lost_bytes)
    for frame in not_kept(exit, at):
        await shipper.add(frame)
    await shipper.close()
    return replace(exit, dropped_bytes=exit.dropped_bytes + lost_bytes)


async def _say_started(deps: Deps, context: AttemptContext, started: Started) -> None:
    command = StartAttempt(
        attempt=context.ref.attempt, holder=deps.holder, manifest=started.manifest, started_at=started.at
    )
    await record(deps.log, context, command)


async def _follow(executor: RetryingExecutor, context: AttemptContext, shipper: Shipper) -> None:
    """Read output as it comes, for ever: only `wait` knows the end."""
    waits = pauses()
    while True:
        before = shipper.skip
        try:
            await _read(executor, context, shipper, follow=True)
        except InfrastructureError as exc:
            logger.warning("the output stream broke: %s", exc, extra={"action": "stream_broke"})
        if shipper.skip > before:
            waits = pauses()
        await asyncio.sleep(next(waits))


async def _read_rest(executor: RetryingExecutor, context: AttemptContext, shipper: Shipper) -> None:
    """Read once more, from the start, what the engine kept: following may end early."""
    await retry(lambda: _read(executor, context, shipper, follow=False), what="reading the rest of the output")


async def _read(executor: RetryingExecutor, context: AttemptContext, shipper: Shipper, *, follow: bool) -> None:
    frames = executor.frames(context.ref, skip=shipper.skip, follow=follow)
    async with aclosing(cast(AsyncGenerator[Frame, None], frames)):
        async for frame in frames:
            await shipper.put(OutFrame(stream=frame.stream, at=frame.at, data=frame.data), gap_bytes=frame.gap_bytes)


async def _until_fenced(signals: Signals) -> None:
    await signals.fenced.wait()
    signals.check()


async def _end_it(deps: Deps, context: AttemptContext, signals: Signals, started: Started, watched: Watched) -> None:
    """Stop the attempt when somebody wants its end, or when it has outlived its time."""
    left_s = None
    if context.specification.timeout_s:
        ran_s = (deps.clock() - started.at).total_seconds()
        left_s = max(context.specification.timeout_s + OVERDUE_S - ran_s, 0)
    grace_s = CANCEL_GRACE_S
    try:
        async with asyncio.timeout(left_s):
            await signals.cancelled.wait()
    except TimeoutError:
        logger.warning("the time limit was not kept", extra={"action": "attempt_overdue", "run_id": context.ref.run_id})
        watched.overdue, grace_s = True, 0
    await deps.executor.stop(context.ref, grace_s=grace_s)
