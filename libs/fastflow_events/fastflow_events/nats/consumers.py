"""How FastStream takes messages from consumers that the deploy step made: bound to, never asked about, never created.

A service may neither create consumers nor, from its own account, ask for their state: the server answers
`CONSUMER.INFO` for the account that asks, which has no JetStream. Taking messages needs neither.
"""

import asyncio
import logging
from typing import Any

from faststream.nats.broker.state import BrokerState
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError

from fastflow_events.nats.client import guard
from fastflow_events.nats.reconnects import Reconnects

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0


async def fetch(
    reconnects: Reconnects, pulled: JetStreamContext.PullSubscription, batch: int, timeout_s: float
) -> list[Msg]:
    """Take messages, and wait for them no longer than the connection lives over which they were asked for.

    Raises:
        TimeoutError: none came.
        nats.errors.Error: the server refused, or there is none.
    """
    fetching = asyncio.ensure_future(pulled.fetch(batch, timeout=timeout_s))
    forgotten: asyncio.Future[list[Msg]] = asyncio.get_running_loop().create_future()
    try:
        with reconnects.waking(forgotten.cancel):
            await asyncio.wait({fetching, forgotten}, return_when=asyncio.FIRST_COMPLETED)
        if not fetching.done():
            raise TimeoutError
        return fetching.result()
    finally:
        # Whatever comes of it now is of no interest; a message that was taken is delivered again.
        fetching.add_done_callback(lambda done: done.cancelled() or done.exception())
        fetching.cancel()


class _Patient:
    """A pull subscription that outlives servers and consumers that are away for a while."""

    def __init__(self, reconnects: Reconnects, pulled: JetStreamContext.PullSubscription, durable: str) -> None:
        self._returns = reconnects
        self._pulled = pulled
        self._durable = durable

    async def fetch(self, batch: int, timeout: float) -> list[Msg]:
        """Take messages; a refusal counts as "none came", and the next question waits."""
        try:
            return await fetch(self._returns, self._pulled, batch, timeout)
        except JetStreamError as exc:
            logger.warning("no messages: %r", exc, extra={"action": "fetch_failed", "consumer": self._durable})
            await asyncio.sleep(RETRY_AFTER_S)
            raise TimeoutError from exc

    async def unsubscribe(self) -> None:
        """Take no more."""
        await self._pulled.unsubscribe()


class _Bound(JetStreamContext):
    """Binds pull subscriptions to what is already there."""

    def __init__(self, nc: Client, reconnects: Reconnects) -> None:
        super().__init__(nc)
        self._returns = reconnects

    async def pull_subscribe(  # type: ignore[override]
        self, subject: str, durable: str, stream: str, **_: Any
    ) -> _Patient:
        """Bind; subject and configuration are the consumer's own affair."""
        return _Patient(self._returns, await self.pull_subscribe_bind(durable=durable, stream=stream), durable)


class BoundState(BrokerState):
    """Gives FastStream the binding context instead of its own."""

    def __init__(self, reconnects: Reconnects) -> None:
        super().__init__()
        self._returns = reconnects

    def connect(self, connection: Client, stream: JetStreamContext) -> None:
        """Keep the connection; `stream` would create consumers."""
        guard(connection)
        super().connect(connection, _Bound(connection, self._returns))
