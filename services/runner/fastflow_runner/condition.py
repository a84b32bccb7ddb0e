"""What a runner says of itself in each heartbeat beside what the lease is about."""

import platform
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from fastflow_events.nats.leases import Disk, Heartbeat, Standby
from msgspec import Struct
from msgspec.structs import replace


class Condition(Struct, frozen=True, kw_only=True):
    """What an executor says of itself."""

    versions: Mapping[str, str] = {}
    """Of what it works with, by name."""
    standby: Standby | None = None


def in_this_condition(ask: Callable[[], Condition], home: Path, heartbeat: Heartbeat) -> Heartbeat:
    """The heartbeat with what waits, what the executor works with, and the room on the disk."""
    condition = ask()
    versions = {**condition.versions, "python": platform.python_version()}
    return replace(heartbeat, versions=versions, standby=condition.standby, disk=_disk(home))


def _disk(folder: Path) -> Disk | None:
    try:
        found = shutil.disk_usage(folder)
    except OSError:
        return None
    return Disk(free_bytes=found.free, size_bytes=found.total)
