"""Asking again, without end or for a while."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.objects import StoreFullError

from fastflow_runner.core.outcome import is_disk_full
from fastflow_runner.ports import ImageMissingError, NotClosedError, VolumeChangedError

T = TypeVar("T")
logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0


def pauses() -> Iterator[float]:
    """Seconds between tries: 0.25, 0.5, 1 … 5, 5."""
    pause = FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE_S)


def is_permanent(error: InfrastructureError) -> bool:
    """True when asking again soon will not help: somebody has to do something first."""
    return isinstance(error, ImageMissingError | NotClosedError | StoreFullError | VolumeChangedError) or is_disk_full(
        str(error)
    )


async def retry(call: Callable[[], Awaitable[T]], *, what: str, retry_for_s: float | None = None) -> T:
    """The answer of `call`, asked again while the world fails; None is for ever.

    Raises:
        InfrastructureError: it still fails after `retry_for_s`, or in a way that time does not heal.
    """
    loop = asyncio.get_running_loop()
    give_up = None if retry_for_s is None else loop.time() + retry_for_s
    for pause in pauses():
        try:
            return await call()
        except InfrastructureError as exc:
            if give_up is not None and (is_permanent(exc) or loop.time() + pause > give_up):
                raise
            logger.warning("%s: %s", what, exc, extra={"action": "asking_again", "what": what})
            await asyncio.sleep(pause)
    raise AssertionError("unreachable")
