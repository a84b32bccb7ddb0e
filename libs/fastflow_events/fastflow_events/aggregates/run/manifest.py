"""What an attempt really ran on."""

from msgspec import Struct

from fastflow_events.message import Message
from fastflow_events.types import Bytes, Seconds


class Manifest(Struct, frozen=True, kw_only=True):
    """What the attempt really ran on."""

    executor: str
    container: str
    """Name of the container, or pid and start time of the process."""
    image: str = ""
    """Image id, or its repository digest where there is one."""
    python: str = ""
    """Version and build of the interpreter."""
    uv: str = ""
    environment: str = ""
    """Hash that names the prepared environment; empty without packages."""
    lock_sha256: str = ""
    prepare_s: Seconds = 0.0
    left_out: dict[str, str] = {}
    """Sealed variables and secrets that the attempt was not given, because they could not be opened, and why."""
    left_out_messages: dict[str, Message] = {}
    cpus: float | None = None
    memory_bytes: Bytes | None = None
    disk_bytes: Bytes | None = None
    """What it may use: its pipeline's limit, else the runner's; of each process without a container. None: no limit."""
    remarks: tuple[str, ...] = ()
    """What else differs from what its pipeline asks for, in sentences."""
    remarks_messages: tuple[Message, ...] = ()
