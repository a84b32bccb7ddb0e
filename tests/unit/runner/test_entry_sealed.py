import os
from collections.abc import Callable

import pytest
from fastflow_runner.entry.sealed import HEAD_BYTES, UnsealedError, read_sealed, seal


def through_a_pipe(data: bytes, read: Callable[[int], bytes]) -> bytes:
    source, sink = os.pipe()
    try:
        os.write(sink, data)
        os.close(sink)
        return read(source)
    finally:
        os.close(source)


@pytest.mark.parametrize("payload", [b"", b"x", b'{"a":1}' * 500])
def test_a_whole_message_is_read(payload: bytes) -> None:
    assert through_a_pipe(seal(payload), read_sealed) == payload


def test_messages_follow_each_other() -> None:
    assert through_a_pipe(seal(b"one") + seal(b"two"), lambda fd: read_sealed(fd) + read_sealed(fd)) == b"onetwo"


@pytest.mark.parametrize("length", [0, 1, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 4])
def test_a_message_that_ends_early_is_none(length: int) -> None:
    with pytest.raises(UnsealedError, match="early"):
        through_a_pipe(seal(b"hello")[:length], read_sealed)


@pytest.mark.parametrize("at", [0, 15, 20, HEAD_BYTES, HEAD_BYTES + 4])
def test_a_changed_message_is_none(at: int) -> None:
    data = bytearray(seal(b"hello"))
    data[at] ^= 1
    with pytest.raises(UnsealedError):
        through_a_pipe(bytes(data), read_sealed)


def test_a_message_over_the_limit_is_none() -> None:
    with pytest.raises(UnsealedError):
        through_a_pipe(seal(b"hello"), lambda fd: read_sealed(fd, 4))
