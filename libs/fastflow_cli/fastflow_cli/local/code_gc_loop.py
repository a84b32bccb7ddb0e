"""Collects stored code by itself: in `fastflow up`, and as a service of compose; both hold the deployer's key.

A pass reads the whole log, so it is a process of its own, which ends when it is done. It is the command that people
type, and as safe to break off or to do twice.
"""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable

import msgspec
from fastflow_events.errors import FastflowError, InfrastructureError
from fastflow_events.nats.connection import connect
from fastflow_events.nats.stream_info import ask_stream
from fastflow_events.nats.topology import CODE
from fastflow_events.service.settings import Settings
from msgspec import Struct

from fastflow_cli.local.code_gc_pace import USUAL, Pace, Pass, is_due
from fastflow_cli.local.spawn import leashed

logger = logging.getLogger(__name__)


class Done(Struct, frozen=True):
    """What a pass says of itself."""

    expired: int
    deleted: int
    deleted_bytes: int


async def keep_collected(
    share: Callable[[], Awaitable[float]],
    collect: Callable[[], Awaitable[Done]],
    steady: Callable[[], float],
    announce: Callable[[str], None],
    pace: Pace = USUAL,
) -> None:
    """Collect whenever it is due, until cancelled; what fails is said, and tried again at the next look."""
    started, last = steady(), None
    while True:
        try:
            if is_due(pace, steady(), started=started, last=last, share=await share()):
                done = await collect()
                last = Pass(steady(), announced=done.expired > 0)
                if done.deleted:
                    size = f"{done.deleted_bytes / 1e6:.1f} MB"
                    announce(f"{done.deleted} bundles of code that nothing needs were deleted, {size}")
        except FastflowError as exc:
            logger.warning("code was not collected: %s", exc, extra={"action": "collecting_failed"})
            announce(f"code was not collected: {exc}")
        await asyncio.sleep(pace.look_every_s)


async def share_of_code(settings: Settings) -> float:
    """How full the store of code is, 0 to 1.

    Raises:
        InfrastructureError: no server answers.
    """
    async with connect(settings, "collector") as nc:
        info = await ask_stream(nc, CODE)
    return info.state.bytes / info.config.max_bytes if info.config.max_bytes > 0 else 0.0


async def collect_once(settings: Settings, keep_days: float) -> Done:
    """One pass in a process of its own, which does not outlive this one.

    Raises:
        InfrastructureError: it failed; its last words are in the message.
    """
    argv = [sys.executable, "-m", "fastflow_cli", "gc", "--json", "--keep-days", str(keep_days)]
    argv += ["--nats-url", settings.nats_url]
    argv += ["--seed-file", str(settings.nats_seed_file)] if settings.nats_seed_file else []
    try:
        process = await asyncio.create_subprocess_exec(
            *leashed(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as exc:
        raise InfrastructureError(f"`fastflow gc` cannot be started: {exc}") from exc
    try:
        printed, words = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    try:
        return msgspec.json.decode(printed, type=Done)
    except msgspec.MsgspecError as exc:
        last = words.decode(errors="replace").strip()[-300:]
        raise InfrastructureError(f"`fastflow gc` ended with {process.returncode}: {last}") from exc
