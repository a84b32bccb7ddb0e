"""What the server says of a stream: how large it is, and when it was made.

An account without streams of its own asks under a name that `accounts` maps to the question.
"""

from datetime import datetime

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from fastflow_events import subjects
from fastflow_events.errors import InfrastructureError

TIMEOUT_S = 2.0


class Bound(Struct, frozen=True):
    """Of the configuration."""

    max_bytes: int = -1


class Size(Struct, frozen=True):
    """What is stored."""

    bytes: int = 0
    messages: int = 0
    first_seq: int = 0
    last_seq: int = 0
    first_ts: datetime | None = None


class StreamSaid(Struct, frozen=True):
    """The answer, as far as we read it."""

    config: Bound
    state: Size
    created: datetime
    ts: datetime
    """The server's clock."""


async def ask_stream(nc: Client, stream: str, *, within_s: float = TIMEOUT_S) -> StreamSaid:
    """The server's own answer; on a bus without accounts nobody listens on our name for it.

    Raises:
        InfrastructureError: there is no answer, or no such stream, or this account may not ask.
    """
    try:
        try:
            answer = await nc.request(subjects.size_of(stream), b"", timeout=within_s)
        except NoRespondersError:
            answer = await nc.request(f"$JS.API.STREAM.INFO.{stream}", b"", timeout=within_s)
        return msgspec.json.decode(answer.data, type=StreamSaid)
    except (TimeoutError, NatsError, msgspec.MsgspecError) as exc:
        raise InfrastructureError(f"nothing is known of stream {stream}: {exc!r}", stream=stream) from exc


async def created_at(nc: Client, stream: str) -> datetime:
    """When the stream was made; one that is made again has another instant.

    Raises:
        InfrastructureError: there is no answer, or no such stream, or this account may not ask.
    """
    return (await ask_stream(nc, stream)).created
