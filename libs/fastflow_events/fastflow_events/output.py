"""What `FASTFLOW_OUTPUT` and `FASTFLOW_SAMPLES` hold: MessagePack, not facts."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from fastflow_events.errors import ContractError


class OutFrame(Struct, frozen=True, array_like=True):
    """One piece of output, byte-exact, as the engine stored it."""

    stream: Literal["stdout", "stderr"]
    at: datetime
    data: bytes


class Chunk(Struct, frozen=True, kw_only=True):
    """Some frames of one attempt, stored together."""

    first: int
    """Index of the first frame among all frames of the attempt, counting from 0."""
    frames: tuple[OutFrame, ...]
    last: bool = False
    """True for the chunk that closes the attempt's output; it may be empty."""
    gap_bytes: int = 0
    """Bytes known to be missing before this chunk."""

    @property
    def next(self) -> int:
        """Index of the first frame after this chunk."""
        return self.first + len(self.frames)


_DECODER = msgspec.msgpack.Decoder(Chunk)
_ENCODER = msgspec.msgpack.Encoder()


def encode_chunk(chunk: Chunk) -> bytes:
    """Return the stored form of a chunk."""
    return _ENCODER.encode(chunk)


def decode_chunk(data: bytes) -> Chunk:
    """Read a stored chunk.

    Raises:
        ContractError: these bytes are no chunk.
    """
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError as exc:
        raise ContractError(f"not an output chunk: {exc}") from exc
