"""The limits of a container in the engine's own numbers, and which can become which; pure."""

from math import ceil

from fastflow_events.aggregates.run.specification import Limits
from msgspec import Struct

from fastflow_runner.core.shortfalls import Processors

MIN_MEMORY_BYTES = 6 << 20  # the engine refuses less
MIN_CHANGED_BYTES = 32 << 20
"""A worker that runs already has taken some memory: less than this it is not given afterwards."""
_STEP_NANO_CPUS = 10_000_000


class Bounds(Struct, frozen=True, kw_only=True):
    """What a container may use; 0 is unlimited."""

    memory_bytes: int = 0
    """Memory and swap together."""
    nano_cpus: int = 0
    pids: int = 512


class Machine(Struct, frozen=True, kw_only=True):
    """Where attempts execute."""

    cpus: int
    memory_bytes: int = 0
    """For each attempt whose pipeline names no limit; 0 is unlimited."""
    usual_cpus: float = 0
    """The same."""


class Room(Struct, frozen=True, kw_only=True):
    """How much of a disk an attempt may hold, or what fetches and builds for it."""

    usual_bytes: int | None = 0
    """Where its pipeline names no limit; None is its share of what is free as it begins, 0 is unlimited."""
    share: int = 5
    """That part of it."""

    def of(self, limits: Limits) -> int | None:
        """For one attempt; None is its share."""
        return self.usual_bytes if limits.disk_bytes is None else limits.disk_bytes


def room_for(wanted: int | None, slots: int) -> Room:
    """So much that attempts of all slots together never fill a disk, whatever else is wanted of one."""
    return Room(usual_bytes=wanted, share=slots + 1)


def default_memory(wanted: int | None, machine_bytes: int) -> int:
    """Limit of an attempt whose pipeline names none: half of the machine unless something else is wanted; 0 is none."""
    return machine_bytes // 2 if wanted is None else wanted and max(wanted, MIN_MEMORY_BYTES)


def default_cpus(wanted: float | None, machine_cpus: int) -> float:
    """Limit of an attempt whose pipeline names none: all but one, at least one, unless set; 0 is none."""
    return max(machine_cpus - 1, 1) if wanted is None else wanted


def bounds_of(limits: Limits, machine: Machine) -> Bounds:
    """The limits of an attempt; more processors than the machine has are as many as it has."""
    memory = max(limits.memory_bytes, MIN_MEMORY_BYTES) if limits.memory_bytes else machine.memory_bytes
    cpus = min(limits.cpus or machine.usual_cpus, machine.cpus)
    return Bounds(memory_bytes=memory, nano_cpus=ceil(cpus * 100) * _STEP_NANO_CPUS, pids=limits.pids)


def remarks_on(limits: Limits, host_cpus: int) -> tuple[Processors, ...]:
    """What the author of a pipeline should know of its limits on this host."""
    if not limits.cpus or limits.cpus <= host_cpus:
        return ()
    return (Processors(limits.cpus, host_cpus),)


def size(count: int) -> str:
    """Bytes as people write them: 64 MiB."""
    for power, unit in ((30, "GiB"), (20, "MiB")):
        if count >= 1 << power:
            return f"{count / (1 << power):.4g} {unit}"
    return f"{count} bytes"


def can_become(have: Bounds, want: Bounds) -> bool:
    """True when a running container with one can be given the other: a limit can be changed, but not taken away."""
    memory = want.memory_bytes == have.memory_bytes or want.memory_bytes >= MIN_CHANGED_BYTES
    cpus = want.nano_cpus == have.nano_cpus or want.nano_cpus > 0
    return memory and cpus
