"""What a container uses, from the engine's own statistics: one line of JSON about once a second."""

from collections.abc import AsyncGenerator
from contextlib import suppress

from msgspec import DecodeError, Struct, ValidationError, json

from fastflow_runner.adapters.docker.container import Container
from fastflow_runner.adapters.docker.engine import Answer
from fastflow_runner.adapters.docker.wire import instant
from fastflow_runner.core.usage import Usage

_LINE_BYTES = 1 << 20


class _CpuUsage(Struct, frozen=True):
    total_usage: int = 0


class _Cpu(Struct, frozen=True):
    cpu_usage: _CpuUsage = _CpuUsage()


class _Memory(Struct, frozen=True):
    usage: int = 0
    stats: dict[str, int] = {}


class _Net(Struct, frozen=True):
    rx_bytes: int = 0
    tx_bytes: int = 0


class _Op(Struct, frozen=True):
    op: str = ""
    value: int = 0


class _Blocks(Struct, frozen=True):
    io_service_bytes_recursive: list[_Op] | None = None


class Stats(Struct, frozen=True):
    """The part of the engine's answer that is used."""

    read: str = ""
    cpu_stats: _Cpu = _Cpu()
    memory_stats: _Memory = _Memory()
    networks: dict[str, _Net] | None = None
    blkio_stats: _Blocks = _Blocks()

    @property
    def usage(self) -> Usage | None:
        """In the runner's words; None when the container does not run any more."""
        at = instant(self.read.encode())
        if at is None or not self.cpu_stats.cpu_usage.total_usage:
            return None
        memory = self.memory_stats
        # Control groups of version 1 call it `total_`, for the container and everything below.
        cache = memory.stats.get("total_inactive_file", memory.stats.get("inactive_file", 0))
        devices, ops = self.networks, self.blkio_stats.io_service_bytes_recursive
        return Usage(
            at=at,
            cpu_s=self.cpu_stats.cpu_usage.total_usage / 1e9,
            memory_bytes=max(memory.usage - cache, 0),
            received_bytes=sum(net.rx_bytes for net in devices.values()) if devices else None,
            sent_bytes=sum(net.tx_bytes for net in devices.values()) if devices else None,
            read_bytes=sum(op.value for op in ops if op.op.lower() == "read") if ops else None,
            written_bytes=sum(op.value for op in ops if op.op.lower() == "write") if ops else None,
        )


async def usages(container: Container) -> AsyncGenerator[Usage]:
    """What the container uses, until it ends or the stream breaks; its network may be another container's."""
    stream = await container.stats()
    if isinstance(stream, Answer):
        return
    held = b""
    try:
        async for data in stream.read():
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                if (usage := _usage(line)) is None:
                    return
                yield usage
            if len(held) > _LINE_BYTES:
                return
    finally:
        stream.close()


def _usage(line: bytes) -> Usage | None:
    with suppress(DecodeError, ValidationError):
        return json.decode(line, type=Stats).usage
    return None
