"""Reactions: do something once per message; NATS keeps the position, replicas share the work.

| the handler | the message |
|---|---|
| returns | acknowledged |
| raises `DomainError` | acknowledged: a rule said no, for good |
| raises `ContractError` | dead-lettered, terminated |
| raises anything else | again after 1, 2, 4 … 60 s; after ten deliveries dead-lettered |
"""

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, TypeAlias, cast

import nats.errors
from faststream import BaseMiddleware
from faststream.exceptions import AckMessage, NackMessage, RejectMessage
from faststream.message import StreamMessage
from faststream.middlewares import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.security import NatsNKey
from msgspec import Struct
from nats.aio.msg import Msg

from fastflow_events import subjects
from fastflow_events.envelope import Reader
from fastflow_events.errors import ContractError, DomainError
from fastflow_events.nats import topology
from fastflow_events.nats.client import hang_up
from fastflow_events.nats.connection import close, options
from fastflow_events.nats.consumers import BoundState
from fastflow_events.nats.reconnects import Reconnects
from fastflow_events.recorded import Recorded
from fastflow_events.service import telemetry
from fastflow_events.service.settings import Settings

logger = logging.getLogger(__name__)

MAX_DELIVERIES = 10
FETCH_TIMEOUT_S = 20.0
_ACK = "$JS.ACK."


class Message(Struct, frozen=True, kw_only=True):
    """A stored message that is no fact: a request of another system."""

    subject: str
    data: bytes
    seq: int
    headers: dict[str, str]


OnFact: TypeAlias = Callable[[Recorded], Awaitable[None]]
OnMessage: TypeAlias = Callable[[Message], Awaitable[None]]
OnRequest: TypeAlias = Callable[[Message], Awaitable[bytes]]


class _Broker(NatsBroker):
    """Stops whatever the server is doing: what cannot be drained is closed, and delivered again to the next process."""

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """Finish what is in hand and close the connection."""
        connection = self._connection
        try:
            await super().stop(exc_type, exc_val, exc_tb)
        except (nats.errors.Error, TimeoutError, OSError) as exc:
            logger.warning("stopped without a server: %r", exc, extra={"action": "broker_closed_hard"})
            if self._connection is not None:
                await close(self._connection)
                self._connection = None
            self.config.disconnect()
        finally:
            if connection is not None:
                hang_up(connection)


def make_broker(settings: Settings, service: str) -> NatsBroker:
    """Return an unconnected broker whose reactions settle messages by our error tree."""

    class Settle(_Settle):
        dead_subject = subjects.dead(service)

    chosen = options(settings, f"{service}-{settings.instance}")
    del chosen["nkeys_seed"]  # FastStream wants it wrapped
    security = NatsNKey.from_file(settings.nats_seed_file) if settings.nats_seed_file else None
    reconnects = Reconnects()
    broker = _Broker(
        **chosen,  # type: ignore[arg-type]
        security=security,
        reconnected_cb=reconnects.tell,
        middlewares=[Settle],
        logger=None,
    )
    broker.config.broker_config.connection_state = BoundState(reconnects)
    return broker


def reaction(broker: NatsBroker, durable: str, *, subject: str) -> Callable[[OnFact], OnFact]:
    """Call the handler once for every fact on `subject`, one at a time; the consumer exists from the deploy step."""
    reader = Reader()

    async def decode(msg: StreamMessage[Msg]) -> Recorded:
        raw = msg.raw_message
        return reader.recorded(raw.metadata.sequence.stream, raw.subject, raw.headers or {}, raw.data)

    return _subscribe(broker, durable, subject, topology.EVENTS, decode)


def on_messages(broker: NatsBroker, durable: str, *, subject: str, stream: str) -> Callable[[OnMessage], OnMessage]:
    """Call the handler once for every message another system left on `subject`."""

    async def decode(msg: StreamMessage[Msg]) -> Message:
        raw = msg.raw_message
        seq = raw.metadata.sequence.stream
        return Message(subject=raw.subject, data=raw.data, seq=seq, headers=dict(raw.headers or {}))

    return _subscribe(broker, durable, subject, stream, decode)


def on_requests(broker: NatsBroker, queue: str, *, subject: str) -> Callable[[OnRequest], OnRequest]:
    """Answer every request on `subject`, which nobody stores; replicas with the same queue share the work."""

    async def decode(msg: StreamMessage[Msg]) -> Message:
        raw = msg.raw_message
        return Message(subject=raw.subject, data=raw.data, seq=0, headers=dict(raw.headers or {}))

    return cast(Callable[[OnRequest], OnRequest], broker.subscriber(subject, queue=queue, decoder=decode))


def _subscribe(
    broker: NatsBroker, durable: str, subject: str, stream: str, decode: Callable[..., Any]
) -> Callable[[Any], Any]:
    return broker.subscriber(
        subject,
        durable=durable,
        stream=JStream(stream, declare=False),
        pull_sub=PullSub(batch_size=1, timeout=FETCH_TIMEOUT_S),
        ack_policy=AckPolicy.NACK_ON_ERROR,  # the default would drop a message whose handler raised
        decoder=decode,
    )


def backoff_s(delivery: int) -> float:
    """Seconds before the delivery after this one: 1, 2, 4 … 60."""
    return float(min(60, 2 ** (delivery - 1)))


class _Settle(BaseMiddleware[Any, Any]):
    """Our error tree as JetStream acknowledgements."""

    dead_subject = ""

    async def consume_scope(self, call_next: Any, msg: StreamMessage[Any]) -> Any:
        raw: Msg = msg.raw_message
        if not raw.reply.startswith(_ACK):
            return await call_next(msg)  # a request: nothing is stored, so nothing is settled
        consumer, delivery = raw.metadata.consumer, raw.metadata.num_delivered
        with telemetry.bind(consumer=consumer, subject=raw.subject, delivery=delivery):
            try:
                result = await call_next(msg)
            except DomainError as exc:
                logger.info("refused: %s", exc, extra={"action": "refused", "code": exc.code})
                telemetry.HANDLED.labels(consumer, "refused").inc()
                raise AckMessage from exc
            except Exception as exc:
                logger.exception("failed", extra={"action": "failed"})
                if isinstance(exc, ContractError) or delivery >= MAX_DELIVERIES:
                    await self._dead_letter(raw, str(exc) or repr(exc))
                    telemetry.HANDLED.labels(consumer, "dead-lettered").inc()
                    raise RejectMessage from exc
                telemetry.HANDLED.labels(consumer, "retried").inc()
                raise NackMessage(delay=backoff_s(delivery)) from exc
            telemetry.HANDLED.labels(consumer, "done").inc()
            return result

    async def _dead_letter(self, raw: Msg, why: str) -> None:
        """Keep the message, with the reason, where people look; stored before the original is given up."""
        headers = {
            "Fastflow-Subject": raw.subject,
            "Fastflow-Stream": raw.metadata.stream,
            "Fastflow-Seq": str(raw.metadata.sequence.stream),
            "Fastflow-Consumer": raw.metadata.consumer,
            "Fastflow-Reason": why.encode("ascii", "backslashreplace").decode().replace("\n", " ")[:2000],
        }
        await raw._client.jetstream().publish(self.dead_subject, raw.data, headers=headers)
