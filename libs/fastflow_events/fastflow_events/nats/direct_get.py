"""Direct Get in batches: the fastest way to read a stream without a consumer.

Source: ADR-31 of nats-io/nats-architecture-and-design.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.replies import Take

BATCH = 1000
NEWEST_AT_ONCE = 500
"""Subjects in one question; the server takes 1024, and no answer of more."""
_END_OF_BATCH = "204"
_NOTHING = "404"


class Stored(NamedTuple):
    """One message as its stream holds it."""

    seq: int
    subject: str
    headers: dict[str, str]
    data: bytes
    pending: int | None = None
    """How many more the server held behind it when it answered; None when it does not say."""


async def get_batch(
    nc: Client, stream: str, *, subject: str, after_seq: int, limit: int = BATCH, timeout_s: float = 10.0
) -> list[Stored]:
    """Return at most `limit` messages on `subject` after a stream position, in order; `[]` when there are none.

    Raises:
        InfrastructureError: the server did not answer, or refused.
    """
    request = {"seq": after_seq + 1, "next_by_subj": subject, "batch": limit}
    return await _collect(nc, stream, request, timeout_s)


async def get_last(nc: Client, stream: str, *, subject: str, timeout_s: float = 10.0) -> Stored | None:
    """Return the newest message on `subject`, or None.

    Raises:
        InfrastructureError: the server did not answer, or refused.
    """
    request = json.dumps({"last_by_subj": subject}).encode()
    try:
        msg = await nc.request(f"$JS.API.DIRECT.GET.{stream}", request, timeout=timeout_s)
    except (TimeoutError, NatsError) as exc:
        raise InfrastructureError(f"stream {stream} cannot be read: {exc!r}") from exc
    headers = msg.headers or {}
    if "Nats-Sequence" in headers:
        return Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], headers, msg.data)
    if headers.get("Status") == _NOTHING:
        return None
    raise InfrastructureError(f"stream {stream} cannot be read: {headers.get('Status')} {headers.get('Description')}")


async def get_newest(nc: Client, stream: str, *, subjects: Sequence[str]) -> AsyncIterator[Stored]:
    """Yield the newest message of each of many subjects, those without one left out.

    Raises:
        InfrastructureError: the server did not answer, or refused.
    """
    for start in range(0, len(subjects), NEWEST_AT_ONCE):
        request: dict[str, object] = {"multi_last": list(subjects[start : start + NEWEST_AT_ONCE]), "batch": BATCH}
        for message in await _collect(nc, stream, request, timeout_s=10.0):
            yield message


async def get_all(nc: Client, stream: str, *, subject: str, after_seq: int = 0) -> AsyncIterator[Stored]:
    """Yield every message on `subject` after a position that the stream holds now."""
    while batch := await get_batch(nc, stream, subject=subject, after_seq=after_seq):
        for message in batch:
            yield message
        if batch[-1].pending == 0:
            return
        after_seq = batch[-1].seq


async def _collect(nc: Client, stream: str, request: dict[str, object], timeout_s: float) -> list[Stored]:
    messages: list[Stored] = []
    done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def on_message(msg: Msg) -> None:
        headers = msg.headers or {}
        # What is stored may bear any header, a "Status" too; its position is told by the server alone.
        if "Nats-Sequence" in headers:
            behind = headers.get("Nats-Num-Pending")
            pending = int(behind) if behind else None
            messages.append(Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], headers, msg.data, pending))
        elif not done.done():
            done.set_result(f"{headers.get('Status') or '503'} {headers.get('Description', '')}")

    if isinstance(nc, Connection):
        nc.expect(done)
    try:
        async with _answered(nc, on_message) as inbox:
            try:
                await nc.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(request).encode(), reply=inbox)
                async with asyncio.timeout(timeout_s):  # wait_for may swallow a cancellation on Python 3.11
                    status = await done
            finally:
                done.cancel()
    except (TimeoutError, NatsError) as exc:
        raise InfrastructureError(f"stream {stream} cannot be read: {exc!r}") from exc
    if not status.startswith((_END_OF_BATCH, _NOTHING)):
        raise InfrastructureError(f"stream {stream} cannot be read: {status}")
    return messages


@asynccontextmanager
async def _answered(nc: Client, take: Take) -> AsyncIterator[str]:
    """A subject for one answer; clients that others made have none to share."""
    if isinstance(nc, Connection):
        await nc.replies.listen()
        with nc.replies.taking(take) as subject:
            yield subject
        return
    inbox = nc.new_inbox()
    subscription = await nc.subscribe(inbox, cb=take, pending_msgs_limit=0, pending_bytes_limit=0)
    try:
        yield inbox
    finally:
        await subscription.unsubscribe()
