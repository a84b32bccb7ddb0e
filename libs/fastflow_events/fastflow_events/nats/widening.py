"""What becomes of a stream that is there: never less than it was, never less than is declared. Pure.

What is stronger is decided field by field: what keeps more, longer or in more places; what refuses instead of losing.
"""

from nats.js.api import DiscardPolicy, StreamConfig

LIMITS = ("max_bytes", "max_age", "max_msgs", "max_msg_size")
GUARDS = ("deny_delete", "deny_purge", "allow_direct", "allow_atomic")
BUCKET = "KV_"


def widened(existing: StreamConfig, wanted: StreamConfig) -> StreamConfig:
    """The stream as it shall be: what we declare, and of what somebody made stronger, that.

    What we say nothing about stays as it is. The keys of a bucket live as long as declared, because their end means
    something.
    """
    ours = {field: value for field, value in vars(wanted).items() if value is not None}
    ours["metadata"] = {**(existing.metadata or {}), **(wanted.metadata or {})}
    ours["subjects"] = _union(existing.subjects, wanted.subjects)
    ours["num_replicas"] = max(existing.num_replicas or 1, wanted.num_replicas or 1)
    ours |= {guard: True for guard in GUARDS if getattr(existing, guard) or getattr(wanted, guard)}
    if existing.discard == DiscardPolicy.NEW:
        ours["discard"] = DiscardPolicy.NEW
    if not (wanted.name or "").startswith(BUCKET):
        ours |= {limit: _larger(getattr(existing, limit), getattr(wanted, limit)) for limit in LIMITS}
        ours["duplicate_window"] = max(existing.duplicate_window or 0, wanted.duplicate_window or 0)
    return existing.evolve(**ours)


def unchangeable(existing: StreamConfig, wanted: StreamConfig) -> list[str]:
    """What a stream is made with for good and that is not as declared, in words."""
    return [
        f"{name} is {getattr(existing, name)}, not {getattr(wanted, name)}"
        for name in ("retention", "storage")
        if getattr(existing, name) != getattr(wanted, name)
    ]


def differences(existing: StreamConfig, wanted: StreamConfig) -> list[str]:
    """Every setting that is wanted and that the stream does not have, in words."""
    found = []
    for field, value in vars(wanted).items():
        have = getattr(existing, field)
        if value is not None and field != "metadata" and not _same(field, have, value):
            found.append(f"{field} {have} → {value}")
    return found


def limit(value: float | None) -> float:
    """0, -1 and None are "no limit"."""
    return value if value is not None and value > 0 else float("inf")


def _larger(have: float | None, want: float | None) -> float | None:
    return have if limit(have) > limit(want) else want


def _union(have: list[str] | None, want: list[str] | None) -> list[str]:
    """Both, as they stand there when nothing is missing."""
    return [*(have or []), *(s for s in want or [] if s not in (have or []))]


def _same(field: str, have: object, want: object) -> bool:
    if field in LIMITS or field in ("max_consumers", "max_msgs_per_subject"):
        return limit(have) == limit(want)  # type: ignore[arg-type]
    return have == want or (not have and not want)
