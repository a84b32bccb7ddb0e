"""What a build left, handed from its container to the next one without being held: measured first, then sent."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from hashlib import sha256

from fastflow_events.errors import InfrastructureError
from msgspec import Struct

from fastflow_runner.adapters.docker_container import Container
from fastflow_runner.adapters.tar_stream import files_of
from fastflow_runner.entry.sealed import head_of
from fastflow_runner.ports import DependencyError

WHEELS_BYTES = 1 << 30
"""All wheels of one build together, as large as a pipeline's whole code may be."""
LOCK_BYTES = 16 << 20
_LOCK = "lock.txt"


class Wheels(Struct, frozen=True, kw_only=True):
    """The archive as it was when it was measured."""

    lock: str | None
    """None where there is none."""
    length: int
    digest: bytes


async def measured(builder: Container) -> Wheels | None:
    """What the build left; None when its container is gone.

    Raises:
        DependencyError: it is too large.
        InfrastructureError: the archive breaks off.
    """
    digest, length, lock = sha256(), 0, bytearray()
    found = False

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal length
        async with aclosing(builder.archive("wheels")) as archive:
            async for piece in archive:
                digest.update(piece)
                length += len(piece)
                if length > WHEELS_BYTES:
                    raise DependencyError(f"what was built is larger than {WHEELS_BYTES} bytes")
                yield piece

    async with aclosing(files_of(pieces())) as files:
        async for name, data in files:
            if name.rpartition("/")[2] == _LOCK:
                found = True
                lock += data
                if len(lock) > LOCK_BYTES:
                    raise DependencyError(f"the lock of what was built is larger than {LOCK_BYTES} bytes")
    if not length:
        return None
    return Wheels(lock=lock.decode("utf-8", "replace") if found else None, length=length, digest=digest.digest())


async def sent(builder: Container, wheels: Wheels, order: bytes) -> AsyncGenerator[bytes]:
    """The order to prepare with them, and the archive sealed as it was measured; who reads it checks that it is."""
    yield order
    yield head_of(wheels.length, wheels.digest)
    length = 0
    async with aclosing(builder.archive("wheels")) as archive:
        async for piece in archive:
            length += len(piece)
            if length > wheels.length:
                break
            yield piece
    if length != wheels.length:
        raise InfrastructureError(f"{builder.name} changed while its wheels were taken")
