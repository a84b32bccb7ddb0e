"""Ids of runs: the same asker asking the same thing twice names the same run; pure, chance and clock come in.

Whoever may ask twice derives the id from what it asks with; only a call without any key takes a UUIDv7.
The inputs are joined as a JSON list, so that no two different inputs ever read the same.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from fastflow_events.errors import ContractError
from fastflow_events.instants import in_utc
from fastflow_events.subjects import encode

NAMESPACE = uuid5(NAMESPACE_URL, "urn:fastflow:run")
_RANDOM_BYTES = 10


def _named(*parts: str | int) -> str:
    return str(uuid5(NAMESPACE, msgspec.json.encode(parts).decode()))


def run_id_of_http(principal: str, pipeline: str, key: str) -> str:
    """The run of one `Idempotency-Key` of one principal for one pipeline."""
    return _named("http", principal, pipeline, key)


def run_id_of_trigger(stream: str, created: datetime, seq: int) -> str:
    """The run of one stored trigger message, however often it is delivered.

    A stream that is made again counts from 1 again; when it was made tells its messages from those of before.
    """
    return _named("nats", stream, _instant(created), seq)


def run_id_of_fire(pipeline: str, schedule: str, nominal: datetime) -> str:
    """The run of one nominal instant of one schedule, whoever fires it, and however late."""
    return _named("fire", pipeline, schedule, _instant(nominal))


def run_id_of_backfill(backfill: str, nominal: datetime) -> str:
    """The run of one instant of one backfill."""
    return _named("backfill", backfill, _instant(nominal))


def run_id_of_chain(upstream_run: str, downstream: str, run_config_id: str | None) -> str:
    """The run that follows one run along one edge; the same edge said by a file and over the API is one."""
    return _named("chain", upstream_run, downstream, run_config_id or "")


def run_id_of_fan_in(downstream: str, run_config_id: str | None, upstream_runs: Iterable[str]) -> str:
    """The run that follows several runs at once, in whatever order they ended."""
    return _named("fan-in", downstream, run_config_id or "", *sorted(upstream_runs))


def run_id_of_restart(previous_run: str) -> str:
    """The run that replaces a daemon's run that ended."""
    return _named("restart", previous_run)


def schedule_id(pipeline: str, name: str) -> str:
    """The id of a schedule: `<pipeline>:<name>`, or a hash where that is too long for a subject."""
    plain = f"{pipeline}:{name}"
    try:
        encode(plain)
    except ContractError:
        return _named("schedule", pipeline, name)
    return plain


def chain_id(upstream: str, downstream: str, run_config_id: str | None) -> str:
    """The id of the edge between two pipelines with a run configuration; there is only one."""
    return _named("edge", upstream, downstream, run_config_id or "")


def environment_id(
    builder: str, python: str, source: str, sha256: str, *, lock: str = "", added: Iterable[str] = ()
) -> str:
    """Id of the environment that is made from packages for a Python; `builder` names the kind of executor. 32 hex.

    `added` are packages that we add of our own, as for notebooks.
    """
    parts = [builder, python, source, sha256 if source != "none" else "", lock, *added]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def _instant(at: datetime) -> str:
    return (in_utc(at) or at).isoformat()


def uuid7(now_ms: int, random_bytes: bytes) -> str:
    """Return the UUIDv7 of an instant and ten random bytes; later instants sort later.

    Source: RFC 9562, section 5.7.
    """
    if len(random_bytes) != _RANDOM_BYTES:
        raise ValueError("a UUIDv7 takes ten random bytes")
    entropy = int.from_bytes(random_bytes, "big")
    rand_a = entropy >> 62 & 0xFFF
    rand_b = entropy & (1 << 62) - 1
    return str(UUID(int=(now_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b))
