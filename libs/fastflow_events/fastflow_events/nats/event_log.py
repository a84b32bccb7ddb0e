"""The event log on NATS JetStream: stream `FASTFLOW_EVENTS`, one subject per fact."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Sequence

import nats.errors
from msgspec.structs import replace
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError

from fastflow_events import subjects
from fastflow_events.aggregates.run.judging import doubt, history_of
from fastflow_events.doubts import Doubts
from fastflow_events.envelope import Reader, body_of, headers_of, subject_of
from fastflow_events.errors import ConcurrencyError, InfrastructureError, TooLargeError
from fastflow_events.fact import BrokenFact, Fact
from fastflow_events.nats.client import Connection, ConnectionLostError
from fastflow_events.nats.direct_get import BATCH, get_batch, get_last
from fastflow_events.nats.storing import expecting, is_conflict
from fastflow_events.nats.stream_info import ask_stream
from fastflow_events.recorded import Cause, History, Life, Position, Recorded
from fastflow_events.service import telemetry
from fastflow_events.service.clock import Clock, utc_now
from fastflow_events.service.waiting import is_set_within

logger = logging.getLogger(__name__)

STREAM = "FASTFLOW_EVENTS"
ACK_TIMEOUT_S = 5.0
STALLED = (
    f"the log answers, but did not store this within {ACK_TIMEOUT_S:g} s; "
    "if that goes on, the disk of NATS is full: make room, then restart nats-server"
)
ASK_S = 10.0
"""A silent follower asks the server so often all the same: bells are not promised."""
ASK_AGAIN_S = 1.0
"""A follower that got no answer asks again so soon, or when the server is back."""
TROUBLE_S = 60.0
"""How long an append that was not stored is held against a server that answers otherwise."""


class _MadeAnewError(InfrastructureError):
    """Whoever follows has to look at what it holds of the log before."""


class JetStreamLog:
    """`EventLog` over one NATS connection; `source` says who writes."""

    def __init__(
        self,
        nc: Connection,
        *,
        source: str,
        clock: Clock = utc_now,
        reader: Reader | None = None,
        ask_s: float = ASK_S,
    ) -> None:
        self._nc = nc
        self._ask_s = ask_s
        self._js = nc.jetstream(timeout=ACK_TIMEOUT_S)
        self._source = source
        self._clock = clock
        self._reader = reader or Reader()
        self.doubts = Doubts()
        self._broken: set[int] = set()
        """Positions of what cannot be read, and that was said."""
        self._stalled: tuple[int, float] | None = None
        """The connection and the instant of the last append that a server which answers did not store."""

    async def load(self, aggregate: str, id: str) -> History:
        """Return every fact of one aggregate; what does not count is a `ForeignFact`."""
        subject = subjects.of_aggregate(aggregate, id)
        return history_of(aggregate, id, [r async for r in self.read(subject)], self.doubts)

    async def append(
        self, position: Position, facts: Sequence[Fact], *, cause: Cause, guard: Position | None = None
    ) -> list[Recorded]:
        """Append all `facts` or none."""
        if not facts:
            return []
        self.doubts.check(position.aggregate, position.id)
        self._nc.check_connected()
        now = self._clock()
        pending = [
            Recorded(
                seq=0,
                aggregate=position.aggregate,
                id=position.id,
                version=position.version + n,
                at=now,
                source=self._source,
                cause=cause,
                fact=fact,
            )
            for n, fact in enumerate(facts, start=1)
        ]
        checked = guard or position
        expectation = expecting(checked.seq, subjects.of_aggregate(checked.aggregate, checked.id))
        try:
            last_seq = await self._publish(pending, expectation)
        except APIError as exc:
            if is_conflict(exc):
                raise ConcurrencyError("somebody else appended first", id=position.id) from exc
            if exc.err_code == 10054:  # nats-server errors.json: message size exceeds maximum allowed
                raise TooLargeError("the fact is too large for the log", id=position.id) from exc
            raise InfrastructureError(f"the log refused: {exc.description}", id=position.id) from exc
        except NoStreamResponseError as exc:
            raise InfrastructureError("nobody keeps the log: stream FASTFLOW_EVENTS is away or not ours") from exc
        except (nats.errors.Error, TimeoutError) as exc:
            return await self._read_back(position, pending, exc)
        self._stalled = None
        first_seq = last_seq - len(pending) + 1
        for recorded in pending:
            telemetry.APPENDED.labels(recorded.wire_type).inc()
        return [replace(r, seq=first_seq + n) for n, r in enumerate(pending)]

    async def _publish(self, pending: list[Recorded], expectation: dict[str, str]) -> int:
        if len(pending) == 1:
            [only] = pending
            headers = headers_of(only) | expectation
            return (await self._js.publish(subject_of(only), body_of(only.fact), headers=headers)).seq
        batch_id = uuid.uuid4().hex
        for number, recorded in enumerate(pending[:-1], start=1):
            headers = headers_of(recorded) | {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
            if number == 1:
                headers |= expectation
            await self._nc.publish(subject_of(recorded), body_of(recorded.fact), headers=headers)
        commit = {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(len(pending)), "Nats-Batch-Commit": "1"}
        last = pending[-1]
        ack = await self._js.publish(subject_of(last), body_of(last.fact), headers=headers_of(last) | commit)
        return ack.seq

    async def _read_back(self, position: Position, pending: list[Recorded], cause: Exception) -> list[Recorded]:
        """Find out whether an append without an answer was stored."""
        subject = subjects.of_aggregate(position.aggregate, position.id)
        stored = [r async for r in self.read(subject, after_seq=position.seq)]
        ours = {r.event_id for r in pending}
        mine = [r for r in stored if r.source == self._source and r.event_id in ours and r.at == pending[0].at]
        if len(mine) == len(pending):
            return mine
        if stored:
            raise ConcurrencyError("somebody else appended first", id=position.id) from cause
        if isinstance(cause, ConnectionLostError) or not isinstance(cause, TimeoutError):
            raise InfrastructureError(f"the log did not answer: {cause!r}", id=position.id) from cause
        self._stalled = (self._nc.stats["reconnects"], asyncio.get_running_loop().time())
        raise InfrastructureError(STALLED, id=position.id) from cause

    @property
    def trouble(self) -> str:
        """What keeps the log from storing what is appended; empty when nothing is known to."""
        if self._stalled is None:
            return ""
        connection, at = self._stalled
        over = connection != self._nc.stats["reconnects"] or asyncio.get_running_loop().time() - at > TROUBLE_S
        return "" if over else STALLED

    async def read(self, subject: str, *, after_seq: int = 0, limit: int | None = None) -> AsyncIterator[Recorded]:
        """Yield the facts on `subject` that the log holds now; what cannot be read is a `BrokenFact`, and doubted."""
        count = 0
        while True:
            wanted = BATCH if limit is None else max(1, min(BATCH, limit - count))
            batch, after_seq, more = await self._batch(subject, after_seq, wanted)
            for recorded in batch:
                if limit is not None and count >= limit:
                    return
                yield recorded
                count += 1
            if not more:
                return

    async def follow(self, subject: str, *, after_seq: int) -> AsyncIterator[Sequence[Recorded]]:
        """Yield batches for ever: on every bell, after every outage, and every few seconds.

        Raises:
            InfrastructureError: the log did not answer at the beginning, was made anew, or the connection is closed.
        """
        bell = asyncio.Event()

        async def ring(_: Msg) -> None:
            bell.set()

        subscription = await self._nc.subscribe(subjects.bell_of(subject), cb=ring)
        try:
            connection, life = self._nc.stats["reconnects"], await self.life()
            with self._nc.reconnects.waking(bell.set):
                while True:
                    bell.clear()
                    now = self._nc.stats["reconnects"]
                    try:
                        if now != connection and not (await self.life()).holds(Life(life.since, after_seq)):
                            raise _MadeAnewError("the log was made anew")
                        batch, last_seq, more = await self._batch(subject, after_seq)
                    except InfrastructureError as exc:
                        if self._nc.is_closed or isinstance(exc, _MadeAnewError):
                            raise
                        logger.warning("a follower got no answer: %s", exc, extra={"action": "follow_unanswered"})
                        await is_set_within(bell, ASK_AGAIN_S)
                        continue
                    if self._nc.stats["reconnects"] != now:
                        continue  # it may be another log that answered
                    connection, after_seq = now, last_seq
                    if batch:
                        yield batch
                    if not more:
                        await is_set_within(bell, self._ask_s)
        finally:
            if not self._nc.is_closed:
                await subscription.unsubscribe()

    async def _batch(self, subject: str, after_seq: int, limit: int = BATCH) -> tuple[list[Recorded], int, bool]:
        """Return facts, the position behind them, and whether there may be more."""
        stored = await get_batch(self._nc, STREAM, subject=subject, after_seq=after_seq, limit=limit)
        recorded = [self._reader.read(m.seq, m.subject, m.headers, m.data) for m in stored]
        for one in recorded:
            if isinstance(one.fact, BrokenFact) and one.seq not in self._broken:  # an aggregate is read again and again
                self._broken.add(one.seq)
                telemetry.unreadable(f"{one.aggregate}/{one.id}", one.seq, one.fact.reason)
        doubt(self.doubts, recorded, judged=False)
        if not stored:
            return recorded, after_seq, False
        return recorded, stored[-1].seq, len(stored) == limit or bool(stored[-1].pending)

    async def life(self) -> Life:
        """When the stream was made, and its end as its leader knows it."""
        info = await ask_stream(self._nc, STREAM, within_s=ACK_TIMEOUT_S)
        return Life(info.created.isoformat(), info.state.last_seq)

    async def last_seq(self, subject: str = subjects.EVENTS) -> int:
        """Position of the newest fact."""
        last = await get_last(self._nc, STREAM, subject=subject)
        return last.seq if last else 0
