"""Containers that staged or prepared, removed when what they prove is no longer true, or was asked for long ago."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection

from fastflow_events.errors import InfrastructureError

from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.adapters.docker.listed import Listed, listed
from fastflow_runner.core import marks
from fastflow_runner.core.container_spec import Deployment

logger = logging.getLogger(__name__)

TIDY_EVERY_S = 3600.0
STAGED_KEPT_S = 14 * 86_400.0
"""Code that is asked for later is found in the volume by a new container, which takes half a second."""
RESULT_BYTES = 16 << 20
"""The longest result of a tool: no longer than the orders that are made of it."""


def outlived(found: Collection[Listed], *, before: float) -> list[Listed]:
    """Those that staged before that instant, but for the newest: it keeps the volume from being removed.

    One that prepared stays: what it resolved may stand nowhere else.
    """
    staged = sorted((tool for tool in found if tool.kind == "stage"), key=lambda tool: tool.created_at)
    return [tool for tool in staged[:-1] if tool.state == "exited" and tool.created_at < before]


async def tidy(engine: Engine, deployment: Deployment, *, kept_s: float, clock: Callable[[], float] = time.time) -> int:
    """Remove those that staged long ago; how many that were.

    Raises:
        InfrastructureError: the engine does not answer.
    """
    old = outlived(await listed(engine, deployment, "tools"), before=clock() - kept_s)
    for tool in old:
        await Container(engine, tool.name).remove()
    return len(old)


async def keep_tidy(engine: Engine, deployment: Deployment) -> None:
    """Do so now and then, until cancelled."""
    while True:
        try:
            if removed := await tidy(engine, deployment, kept_s=STAGED_KEPT_S):
                logger.info("old containers removed", extra={"action": "tools_removed", "removed": removed})
        except InfrastructureError as exc:
            logger.warning("old containers stay: %s", exc, extra={"action": "tidying_postponed"})
        await asyncio.sleep(TIDY_EVERY_S)


async def forget_prepared(engine: Engine, deployment: Deployment, environments: Collection[str]) -> None:
    """Remove those that say that these environments are there; one that stays is found out by the next run."""
    try:
        for tool in await listed(engine, deployment, "tools"):
            if tool.state == "exited" and tool.kind == "prepare":
                container = Container(engine, tool.name)
                prepared = marks.prepared(await container.words(1, most_bytes=RESULT_BYTES))
                if prepared is not None and prepared.environment in environments:
                    await container.remove()
    except InfrastructureError as exc:
        logger.warning("containers of deleted environments stay: %s", exc, extra={"action": "tidying_postponed"})
