"""Dispatched attempts from the durable consumer of each pool, one at a time."""

from collections.abc import Iterable

import nats.errors
from fastflow_events.aggregates.run.events import RunDispatched
from fastflow_events.envelope import Reader
from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.consumers import fetch
from fastflow_events.nats.topology import EVENTS, dispatch_durable
from fastflow_events.recorded import Recorded
from fastflow_events.service import telemetry
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext
from nats.js.errors import APIError

from fastflow_runner.adapters.bus import acks

FETCH_TIMEOUT_S = 4.0
"""Who drains waits so long for a question that is on its way."""
ACK_TIMEOUT_S = 2.0
_UNREADABLE_AGAIN_S = 60.0


class NatsDelivery:
    """One message of the consumer."""

    def __init__(self, msg: Msg, recorded: Recorded) -> None:
        self.recorded = recorded
        self._msg = msg
        self._settled = False

    async def settle(self) -> None:
        """Acknowledge; when that fails the dispatch comes again and is dropped then."""
        if self._settled:
            return
        self._settled = True
        try:
            await self._msg.ack_sync(timeout=ACK_TIMEOUT_S)
        except (nats.errors.Error, TimeoutError):
            return

    async def give_back(self, after_s: float) -> None:
        """Have it delivered again; without an answer that happens after `ack_wait` anyway."""
        if not self._settled:
            self._settled = True
            await acks.give_back(self._msg, after_s)


class NatsWork:
    """`WorkQueue` over pull consumers that the deploy step made."""

    def __init__(self, nc: Connection) -> None:
        self._nc = nc
        self._js = nc.jetstream()
        self._reader = Reader()
        self._subscriptions: dict[str, JetStreamContext.PullSubscription] = {}

    async def bind(self, pools: Iterable[str]) -> None:
        """Be ready to fetch; nothing is created on the server."""
        for pool in pools:
            durable = dispatch_durable(pool)
            self._subscriptions[pool] = await self._js.pull_subscribe_bind(durable, EVENTS)

    async def next(self, pool: str) -> NatsDelivery | None:
        """The next dispatch of a pool, waiting some seconds for it."""
        try:
            [msg] = await fetch(self._nc.reconnects, self._subscriptions[pool], 1, FETCH_TIMEOUT_S)
        except TimeoutError:
            return None
        except APIError as exc:
            raise InfrastructureError(f"the queue of pool {pool} cannot be read: {exc.description}") from exc
        except nats.errors.Error as exc:
            raise InfrastructureError(f"the queue of pool {pool} cannot be read: {exc!r}") from exc
        seq = msg.metadata.sequence.stream
        try:
            recorded = self._reader.recorded(seq, msg.subject, msg.headers or {}, msg.data)
        except ContractError as exc:
            telemetry.unreadable(msg.subject, seq, exc)
            # Nobody will ever read it; given back, a thousand of them would stop the pool.
            await acks.say(msg, acks.NEVER)
            return None
        if isinstance(recorded.fact, RunDispatched):
            return NatsDelivery(msg, recorded)
        telemetry.unreadable(msg.subject, seq, ContractError("not a dispatch this release knows"))
        await acks.give_back(msg, _UNREADABLE_AGAIN_S)  # a newer runner of this pool may know it
        return None
