"""How large what NATS keeps may become: the store follows from its disk, each stream's bound from the store. Pure.

Bounds are not reservations on disk, but the server counts them against the store as if they were.
"""

from collections.abc import Collection, Mapping

from fastflow_events.errors import DomainError
from fastflow_events.nats import topology
from fastflow_events.nats.server_process import STORE_BYTES

DISK_SHARE = 0.75
"""Of the disk, for the store; the rest is for everything else on it."""
SHARES: Mapping[str, float] = {
    topology.EVENTS: 0.20,
    topology.OUTPUT: 0.20,
    topology.CODE: 0.15,
    topology.ARTIFACTS: 0.15,
    topology.SAMPLES: 0.03,
    topology.TRIGGERS: 0.01,
    topology.DEAD: 0.01,
}
"""Of the store. A quarter is left for streams to come (history of closed runs, who did what, people) and for bounds
that somebody raises."""
MOST_BYTES: Mapping[str, int] = {topology.TRIGGERS: topology.GIB // 4, topology.DEAD: topology.GIB // 4}
"""Who needs no more, however large the disk is."""
MEMORY_SHARE = 0.5
"""nats-server needs about as much memory as the log is large: 0.7 kB for a fact of 0.9 kB. Beyond the machine's memory
a log could neither be written nor read again."""


class NoRoomError(DomainError):
    """The store has no room for a bound."""

    code = "no-room-in-store"


def store_bytes(disk_bytes: int, chosen: int | None = None) -> int:
    """Size of the store on a disk of that size, unless one is chosen."""
    return chosen or max(topology.LEAST_STORE_BYTES, int(disk_bytes * DISK_SHARE))


def bounds(
    store: int = STORE_BYTES,
    *,
    memory_bytes: int | None = None,
    chosen: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """`max_bytes` of every stream that grows; what is chosen for a stream stands."""
    derived = {name: min(int(store * share), MOST_BYTES.get(name, store)) for name, share in SHARES.items()}
    if memory_bytes is not None:
        derived[topology.EVENTS] = min(derived[topology.EVENTS], int(memory_bytes * MEMORY_SHARE))
    return {**derived, **(chosen or {})}


def fitting(
    existing: Mapping[str, int], wanted: Mapping[str, int], *, store: int, chosen: Collection[str] = ()
) -> dict[str, int]:
    """The bounds to set: none below what is there, all within the store.

    `existing` are the bounds of all streams, those of others too; 0 or less is none, and stays none. What is chosen
    comes first. Where not all of the rest has room, what is there does not grow, and new streams share what is left.

    Raises:
        NoRoomError: a bound that is chosen, or a new stream, has no room.
    """
    taken = sum(bound for bound in existing.values() if bound > 0)
    growth = {name: max(0, want - existing.get(name, 0)) for name, want in wanted.items() if existing.get(name, 1) > 0}
    room = store - taken - sum(more for name, more in growth.items() if name in chosen)
    derived = {name: more for name, more in growth.items() if name not in chosen}
    if sum(derived.values()) > room:
        new = {name: more for name, more in derived.items() if name not in existing}
        scale = min(1.0, max(0, room) / sum(new.values())) if new else 0.0
        derived = {name: int(more * scale) for name, more in new.items()}
    found = {}
    for name, want in wanted.items():
        more = growth.get(name, 0) if name in chosen else derived.get(name, 0)
        found[name] = existing.get(name, 0) + more
        is_too_small = name not in existing and found[name] < min(want, topology.MIB)
        if is_too_small or (name in chosen and more > 0 and room < 0):
            raise NoRoomError(
                f"stream {name} cannot have {want} bytes: the streams that are there may take {taken} of the store's "
                f"{store} already; give NATS a larger store (FASTFLOW_STORE_BYTES)",
                stream=name,
            )
    return found
