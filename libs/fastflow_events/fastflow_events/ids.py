"""Ids of runs: the same asker asking the same thing twice names the same run; pure, chance and clock come in.

Whoever may ask twice derives the id from what it asks with; only a call without any key takes a UUIDv7.
The inputs are joined as a JSON list, so that no two different inputs ever read the same.
"""

from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

NAMESPACE = uuid5(NAMESPACE_URL, "urn:fastflow:run")
_RANDOM_BYTES = 10


def _named(*parts: str | int) -> str:
    return str(uuid5(NAMESPACE, msgspec.json.encode(parts).decode()))


def run_id_of_http(principal: str, pipeline: str, key: str) -> str:
    """The run of one `Idempotency-Key` of one principal for one pipeline."""
    return _named("http", principal, pipeline, key)


def run_id_of_trigger(stream: str, seq: int) -> str:
    """The run of one stored trigger message, however often it is delivered."""
    return _named("nats", stream, seq)


def uuid7(now_ms: int, random_bytes: bytes) -> str:
    """Return the UUIDv7 of an instant and ten random bytes; later instants sort later.

    Source: RFC 9562, section 5.7.
    """
    if len(random_bytes) != _RANDOM_BYTES:
        raise ValueError("a UUIDv7 takes ten random bytes")
    chance = int.from_bytes(random_bytes, "big")
    rand_a = chance >> 62 & 0xFFF
    rand_b = chance & (1 << 62) - 1
    return str(UUID(int=(now_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b))
