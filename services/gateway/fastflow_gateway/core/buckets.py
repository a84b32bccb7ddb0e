"""How many requests somebody may make: a bucket of tokens that fills while nobody asks. Pure, over an instant."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_network

from msgspec import Struct

from fastflow_gateway.core.hosts import address_of, is_loopback

KEPT = 10_000
"""Callers that are remembered; the one that asked longest ago is forgotten first, and begins anew."""
BITS_OF_A_CALLER = 64
"""Whoever has an IPv6 address has all of its network."""


LOCAL = "local"
"""Everybody on this machine."""


class Rate(Struct, frozen=True):
    """So many a second on average, and so many at once."""

    per_s: float
    burst: int


class Bucket(Struct, frozen=True):
    """What was left at an instant."""

    tokens: float
    at_s: float


def take(bucket: Bucket | None, rate: Rate, now_s: float) -> tuple[Bucket, float]:
    """The bucket after one request, and in how many seconds there is room for it; 0 when there is now."""
    if bucket is None:
        return Bucket(rate.burst - 1.0, now_s), 0.0
    tokens = min(float(rate.burst), bucket.tokens + max(0.0, now_s - bucket.at_s) * rate.per_s)
    if tokens >= 1.0:
        return Bucket(tokens - 1.0, now_s), 0.0
    return Bucket(tokens, now_s), (1.0 - tokens) / rate.per_s


class Buckets:
    """A bounded table of buckets."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._of: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._of)

    def take(self, caller: str, kind: str, rate: Rate, now_s: float) -> float:
        """In how many seconds the caller may make such a request; 0 for now, and then it is counted."""
        key = (caller, kind)
        self._of[key], after_s = take(self._of.get(key), rate, now_s)
        self._of.move_to_end(key)
        if len(self._of) > self._kept:
            self._of.popitem(last=False)
        return after_s


def caller_of(host: str) -> str:
    """Who counts as one: an address, or the network of an IPv6 one; everybody on this machine is `local`."""
    if is_loopback(host):
        return LOCAL
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(ip_network(f"{address}/{BITS_OF_A_CALLER}", strict=False))
    return host
