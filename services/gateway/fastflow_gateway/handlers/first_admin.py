"""Whoever comes first: while no admin can come in, a token waits in a file for whoever has the machine."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from fastflow_events.aggregates.access.commands import CreateToken
from fastflow_events.aggregates.access.decider import FIRST, is_valid, token_decider
from fastflow_events.aggregates.access.grants import Grant
from fastflow_events.errors import ConcurrencyError
from fastflow_events.execute import execute
from fastflow_events.recorded import Cause
from fastflow_events.service.tasks import turned
from msgspec import Struct

from fastflow_gateway.core.access.permissions import ADMIN, allowed
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.tokens import principal_of, status_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.tokens import minted

VALID = timedelta(hours=24)
LOOK_EVERY_S = 60.0
NAME = "first-admin"
BY = "host"
"""Whoever has the machine: he could write the log anyway."""


class TokenFile(Struct, frozen=True, kw_only=True):
    """Where a token waits for whoever has the machine."""

    place: str
    leave: Callable[[str], None]
    take_away: Callable[[], None]


logger = logging.getLogger(__name__)


async def keep_first_admin(deps: Deps, key: bytes, file: TokenFile, known_from: int) -> None:
    """Look now and then whether an admin can come in, and leave a token for the first one while none can."""
    while True:
        if await deps.changes.reached(known_from, within_s=LOOK_EVERY_S):
            await offer(deps, key, file)
            turned()
            await asyncio.sleep(LOOK_EVERY_S)


async def offer(deps: Deps, key: bytes, file: TokenFile) -> None:
    """Leave a token unless an admin can come in. Of several gateways one does; one that ends halfway does it again."""
    now = deps.clock()
    rows = [row for row in await deps.rows.tokens() if row.id != FIRST and status_of(row, text_of(now)) == "valid"]
    if any(allowed(principal_of(row), ADMIN) for row in rows):
        file.take_away()
        return
    if is_valid(token_decider.fold((await deps.log.load("access", FIRST)).facts), now):
        return
    text, created = minted(deps.random_bytes, key, "first_admin", NAME, Grant("admin"), expires_at=now + VALID, by=BY)
    file.leave(text)
    try:
        cause = Cause(correlation_id=deps.random_bytes(16).hex())
        made = await execute(deps.log, token_decider, FIRST, CreateToken(token=created, at=now), cause=cause)
    except ConcurrencyError:
        made = []
    if not made:
        file.take_away()
        return
    logger.warning(
        "nobody can come in yet: the token of the first admin is in %s", file.place, extra={"action": "first_admin"}
    )
