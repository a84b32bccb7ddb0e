"""New versions of pipelines from their durable consumer, one at a time."""

import nats.errors
from fastflow_events.envelope import Reader
from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.consumers import fetch
from fastflow_events.nats.topology import EVENTS, PREHEAT
from fastflow_events.recorded import Recorded
from fastflow_events.service import telemetry
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext
from nats.js.errors import APIError

from fastflow_runner.adapters.bus import acks

_FETCH_TIMEOUT_S = 20.0


class NatsArrival:
    """One message of the consumer; what is said of it is not awaited, and a word that is lost is said again."""

    def __init__(self, msg: Msg, recorded: Recorded) -> None:
        self.recorded = recorded
        self._msg = msg

    async def still_at_it(self) -> None:
        """Keep it from being given to somebody else."""
        await acks.say(self._msg, acks.STILL_AT_IT)

    async def settle(self) -> None:
        """Acknowledge it."""
        await acks.say(self._msg, acks.DONE)

    async def give_back(self, after_s: float) -> None:
        """Have it delivered again."""
        await acks.give_back(self._msg, after_s)


class NatsArrivals:
    """`Arrivals` over the consumer that the deploy step made."""

    def __init__(self, nc: Connection) -> None:
        self._nc = nc
        self._js = nc.jetstream()
        self._reader = Reader()
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def next(self) -> NatsArrival | None:
        """The next new version, waiting some seconds for it.

        Raises:
            InfrastructureError: the bus did not answer.
        """
        try:
            if self._subscription is None:
                self._subscription = await self._js.pull_subscribe_bind(PREHEAT, EVENTS)
            [msg] = await fetch(self._nc.reconnects, self._subscription, 1, _FETCH_TIMEOUT_S)
        except TimeoutError:
            return None
        except (APIError, nats.errors.Error) as exc:
            raise InfrastructureError(f"new versions cannot be read: {exc!r}") from exc
        seq = msg.metadata.sequence.stream
        try:
            return NatsArrival(msg, self._reader.recorded(seq, msg.subject, msg.headers or {}, msg.data))
        except ContractError as exc:
            telemetry.unreadable(msg.subject, seq, exc)
            await acks.say(msg, acks.NEVER)
            return None
