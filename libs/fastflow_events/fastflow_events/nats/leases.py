"""Liveness on the bus: keys that die by themselves unless they are written again.

A runner's heartbeat is the lease of all its claims. The leader's key only says who is alive; who may
dispatch is the fact `queue.leased`.
"""

import logging
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from nats.aio.client import Client

from fastflow_events import subjects
from fastflow_events.doubts import words_of
from fastflow_events.envelope import stored_at
from fastflow_events.errors import ContractError
from fastflow_events.nats import topology
from fastflow_events.nats.direct_get import Stored, get_all, get_last
from fastflow_events.nats.storing import expecting, translated
from fastflow_events.zoned import fault_of

logger = logging.getLogger(__name__)

_UNHEARD: set[str] = set()
"""Keys whose value is no heartbeat, and that was said."""
ACK_TIMEOUT_S = 2.0


Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Disk(Struct, frozen=True, kw_only=True):
    """The room on a disk."""

    free_bytes: Size
    size_bytes: Size


class Standby(Struct, frozen=True, kw_only=True):
    """Containers that wait, started, for attempts."""

    waiting: Annotated[int, Meta(ge=0, le=100_000)]
    most: Annotated[int, Meta(ge=0, le=100_000)]
    """As many may wait; fewer do while little is asked."""


class Heartbeat(Struct, frozen=True, kw_only=True):
    """A runner is alive and says what it can do."""

    runner: str
    incarnation: str
    """New with every start of the runner's process."""
    engine: str
    executor: str
    slots: Annotated[int, Meta(ge=0, le=100_000)]
    """Attempts it executes at once."""
    running: Annotated[int, Meta(ge=0, le=2**53)]
    pools: Annotated[tuple[str, ...], Meta(max_length=1000)]
    version: str
    at: datetime
    versions: Annotated[dict[str, str], Meta(max_length=20)] = {}
    """Of what else it works with, by name."""
    standby: Standby | None = None
    """None where there are none."""
    disk: Disk | None = None
    """That of the runner's home; None where it cannot be seen."""


class Leader(Struct, frozen=True, kw_only=True):
    """A scheduler that believes it leads."""

    leader: str
    term: int


async def beat(nc: Client, heartbeat: Heartbeat, *, expected_seq: int | None = None) -> int:
    """Write the runner's heartbeat; returns its position, the `expected_seq` of the next one.

    With `expected_seq` a second process under the same runner id is noticed; 0 means "nobody has it".

    Raises:
        ConcurrencyError: another process writes under this runner id.
        InfrastructureError: the bus did not answer.
    """
    return await _put(nc, _key(topology.RUNNERS, heartbeat.runner), heartbeat, expected_seq)


async def heartbeats(nc: Client) -> dict[str, Heartbeat]:
    """Every runner whose lease is alive, by its id.

    Raises:
        InfrastructureError: the bus did not answer.
    """
    alive = {}
    async for stored in get_all(nc, topology.RUNNERS, subject=_key(topology.RUNNERS, subjects.ANY)):
        if (heartbeat := read_heartbeat(stored)) is not None:
            alive[heartbeat.runner] = heartbeat
    return alive


def read_heartbeat(stored: Stored) -> Heartbeat | None:
    """The heartbeat; None for what is none, which is said once for each key and otherwise not heard."""
    if not stored.data:
        return None
    try:
        heartbeat = msgspec.json.decode(stored.data, type=Heartbeat)
        fault = fault_of(heartbeat)
        if not fault and stored.subject != _key(topology.RUNNERS, heartbeat.runner):
            fault = "it is under another runner's key"
    except (msgspec.MsgspecError, ValueError, RecursionError, ContractError) as exc:
        fault = words_of(exc)
    if not fault:
        _UNHEARD.discard(stored.subject)
        return heartbeat
    if stored.subject not in _UNHEARD:
        _UNHEARD.add(stored.subject)
        logger.error(
            "no heartbeat: %s", fault, extra={"action": "heartbeat_unreadable", "key": stored.subject, "why": fault}
        )
    return None


async def heartbeat_of(nc: Client, runner: str) -> tuple[Heartbeat | None, int] | None:
    """The live heartbeat under a runner id and its position; no heartbeat for what is none, None for nothing at all."""
    stored = await get_last(nc, topology.RUNNERS, subject=_key(topology.RUNNERS, runner))
    if stored is None or not stored.data:
        return None
    return read_heartbeat(stored), stored.seq


async def lead(nc: Client, leader: Leader, *, expected_seq: int) -> int:
    """Take the leader's key (`expected_seq` 0: nobody has it) or keep it; returns its new position.

    Raises:
        ConcurrencyError: somebody else has the key.
        InfrastructureError: the bus did not answer.
    """
    return await _put(nc, _key(topology.LEASES, "queue"), leader, expected_seq)


async def _put(nc: Client, subject: str, value: Struct, expected_seq: int | None) -> int:
    headers = {} if expected_seq is None else expecting(expected_seq)
    with translated("the key cannot be written", key=subject):
        ack = await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(subject, msgspec.json.encode(value), headers=headers)
    return ack.seq


def _key(stream: str, name: str | subjects.Wildcard) -> str:
    return topology.key(stream, subjects.token(name))


async def server_time(nc: Client) -> datetime | None:
    """The server's clock when the leader's key was written last, at most the key's life ago; None without a leader.

    Raises:
        InfrastructureError: the bus did not answer.
    """
    stored = await get_last(nc, topology.LEASES, subject=_key(topology.LEASES, "queue"))
    return stored_at(stored.headers) if stored else None
