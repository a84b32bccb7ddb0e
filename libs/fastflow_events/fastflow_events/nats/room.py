"""How much NATS may store, as the deploy step and the server's configuration are told; looks at the machine."""

import os
import re
import shutil
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fastflow_events.errors import SettingsError
from fastflow_events.nats import sizes, topology
from fastflow_events.nats.server_process import STORE_BYTES
from fastflow_events.service.settings import Settings

VARIABLE = "FASTFLOW_STORE_BYTES"
"""Its name in the server's configuration; the environment variable has the same."""

Bound = Annotated[int, Meta(ge=topology.MIB)]


class RoomSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whatever is not said is derived from the disk."""

    store_bytes: Annotated[int, Meta(ge=topology.LEAST_STORE_BYTES)] | None = None
    """Of everything that NATS stores."""
    store_file: Path | None = None
    """What `fastflow size-store` wrote for the server; where it is named, it says how large the store is."""
    events_bytes: Bound | None = None
    output_bytes: Bound | None = None
    samples_bytes: Bound | None = None
    code_bytes: Bound | None = None
    artifacts_bytes: Bound | None = None
    code_keep_days: Annotated[float, Meta(ge=0)] = 30.0
    """Code of runs that ended since then is not collected."""

    def chosen(self) -> dict[str, int]:
        """The streams whose bound is said."""
        bounds = {
            topology.EVENTS: self.events_bytes,
            topology.OUTPUT: self.output_bytes,
            topology.SAMPLES: self.samples_bytes,
            topology.CODE: self.code_bytes,
            topology.ARTIFACTS: self.artifacts_bytes,
        }
        return {stream: bound for stream, bound in bounds.items() if bound is not None}

    def store(self) -> int:
        """What the server was told, else what is said, else what a server has of which nothing is known.

        Raises:
            SettingsError: the file is not there or says nothing.
        """
        if self.store_file is not None:
            return read_store(self.store_file)
        return self.store_bytes or STORE_BYTES

    def bounds(self, store: int) -> dict[str, int]:
        """`max_bytes` of every stream that grows, on this machine."""
        return sizes.bounds(store, memory_bytes=memory_bytes(), chosen=self.chosen())


def store_on(folder: Path, chosen: int | None) -> int:
    """Size of a store in that folder: chosen, or derived from the size of its disk."""
    return sizes.store_bytes(shutil.disk_usage(folder).total, chosen)


def memory_bytes() -> int:
    """Of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def write_store(file: Path, size: int) -> None:
    """Tell nats-server, which includes the file, and the deploy step; complete or not at all."""
    partial = file.with_name(f"{file.name}.part")
    partial.write_text(f"{VARIABLE}: {size}\n")
    partial.replace(file)


def read_store(file: Path) -> int:
    """What `write_store` wrote.

    Raises:
        SettingsError: it is not there or says nothing.
    """
    try:
        found = re.match(rf"{VARIABLE}: (\d+)\n", file.read_text())
    except OSError as exc:
        raise SettingsError(f"FASTFLOW_STORE_FILE cannot be read: {exc.strerror}: {file}") from exc
    if found is None:
        raise SettingsError(f"FASTFLOW_STORE_FILE was not written by `fastflow size-store`: {file}")
    return int(found[1])
