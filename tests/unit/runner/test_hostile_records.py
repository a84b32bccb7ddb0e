"""Whatever stands in a log, a marker or an archive: nothing raises what nobody expects, and nothing is held whole."""

import asyncio
import io
import os
import struct
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastflow_events.errors import InfrastructureError
from fastflow_events.testing.builders import NOON
from fastflow_runner.adapters.docker.tar_stream import files_of, small_file
from fastflow_runner.adapters.docker.wire import FRAME_BYTES, Chunked, Multiplexed
from fastflow_runner.adapters.process.spool import follow_spool
from fastflow_runner.core import marks
from fastflow_runner.core.outcome import finished, of_exit
from fastflow_runner.entry.markers import EXIT_BYTES
from fastflow_runner.entry.records import SPOOL_HEAD, NoRecordError, decode_line, decode_spool, stream_of
from fastflow_runner.ports import AttemptRef, Exit, Frame
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

NONCE = "n"
MARKER: dict[str, Any] = {
    "nonce": NONCE, "code": 1, "signal": None, "timed_out": False, "peak_memory_bytes": 1, "cpu_s": 0.1, "oom_kills": 0,
    "dropped_bytes": 0, "route": None, "at": 1.0, "received_bytes": 1, "transmitted_bytes": 1, "sent_bytes": 1,
    "refused_processes": 0, "result": None, "progress": None, "kept": [["a", 1]], "left": [["a", "b"]],
    "manifest": {"executor": "docker", "container": "c", "memory_bytes": 1, "prepare_s": 0.0}, "network": [0, 0],
    "reason": "r", "detail": "d", "freed": {"a": 1}, "busy": [], "Id": "x", "RepoDigests": ["y"],
    "environment": "e", "interpreter": "i", "python": "p", "uv": "u", "lock": "l", "prepare_s": 0.0, "size_bytes": 1,
    "cells": [[1, True, 1]], "where": "w", "why": "y",
}  # fmt: skip
"""Holds what every marker holds."""
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**30), 10**30), st.floats(allow_nan=False), st.text(),
    st.sampled_from([2**63, 2**64, -(2**63) - 1, 1e308, -1e308, 253_402_300_800.0, "\x1e", "x" * 70_000]),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
MARKERS = st.one_of(
    st.binary(max_size=200),
    st.just(b"[" * 100_000),
    st.dictionaries(st.sampled_from(sorted(MARKER)), ODD, max_size=3).map(lambda odd: json.encode({**MARKER, **odd})),
)
SHORT = st.binary(max_size=40)
LINES = st.one_of(
    st.binary(max_size=80),
    st.tuples(
        st.sampled_from([b"\x1e", b"\x1ee\x1e", b"\x1ee"]), st.sampled_from(b"-begsxrq\xff"), st.binary(max_size=40)
    ).map(lambda parts: parts[0] + bytes([parts[1]]) + parts[2]),
    st.integers().map(lambda number: b"\x1eg%d\n" % number),
)


@given(LINES)
def test_what_is_no_record_is_output(stored: bytes) -> None:
    stream, line = stream_of(1, stored)
    letter, payload = decode_line(line)
    assert stream in (1, 2)
    assert letter in "-gsxr"
    if letter == "g":
        assert 0 < int(payload) < 10**18
    if letter == "-" and line[1:2] not in (b"-", b"b"):
        assert payload == line


@pytest.mark.parametrize("record", [b"g-5", b"gx", b"g", b"g0", b"g" + b"9" * 400, b"g\xb2", b"bA", b"b=", b"q", b""])
def test_a_forged_record_is_the_text_it_is(record: bytes) -> None:
    letter, payload = decode_line(b"\x1e" + record + b"\n")
    assert letter == "-"
    assert payload in (b"\x1e" + record + b"\n", b"")


@given(MARKERS)
def test_no_marker_makes_a_reader_raise_and_what_is_understood_can_be_told(marker: bytes) -> None:
    seen = marks.completed(Exit(exit_code=1), marker, NONCE)
    fact = finished(of_exit(seen), AttemptRef(run_id="r", attempt=1), runner="r", lines=0, size_bytes=0, now=NOON)
    assert json.decode(json.encode(fact), type=type(fact)) == fact
    started = marks.started(marker)
    assert started is None or json.encode(started)
    marks.refused(marker)
    marks.deleted(marker)
    marks.prepared(marker)
    marks.progress(marker.decode("latin-1"))


@given(st.lists(st.one_of(st.binary(max_size=60), st.tuples(st.integers(0, 255), st.integers(0, 2**64 - 1), st.binary(
    max_size=30)).map(lambda r: SPOOL_HEAD.pack(r[0], r[1], len(r[2])) + r[2])), max_size=6).map(b"".join))  # fmt: skip
def test_a_spool_holds_records_or_plain_output(data: bytes) -> None:
    try:
        found, used = decode_spool(data)
    except NoRecordError as error:
        found, used = error.args
    assert used <= len(data)
    assert all(stream in (1, 2, 17, 18) for stream, _, _ in found)


async def frames_of(path: Path) -> list[Frame]:
    return [frame async for frame in follow_spool(path, skip=0, is_over=lambda: True)]


def test_a_spool_that_somebody_wrote_into_ends_as_plain_output(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    whole = SPOOL_HEAD.pack(2, 10**9, 3) + b"abc"
    for torn in (b"\x07" + bytes(20), SPOOL_HEAD.pack(1, 0, 2**32 - 1) + b"x", SPOOL_HEAD.pack(17, 0, 2) + b"-5"):
        spool.write_bytes(whole + torn + b"y" * 200_000)
        first, *rest = asyncio.run(frames_of(spool))
        assert (first.stream, first.data) == ("stderr", b"abc")
        assert b"".join(frame.data for frame in rest) == torn + b"y" * 200_000
        assert not any(frame.gap_bytes for frame in rest)


def test_a_spool_that_is_a_pipe_or_a_link_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert asyncio.run(frames_of(tmp_path / "pipe")) == asyncio.run(frames_of(tmp_path / "link")) == []


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_an_answer_that_is_garbled_is_an_engine_that_fails(pieces: list[bytes]) -> None:
    for reader in (Chunked(), Multiplexed()):
        try:
            for piece in pieces:
                reader.feed(piece)
        except InfrastructureError:
            continue


def test_a_chunk_is_passed_on_as_it_comes() -> None:
    coding = Chunked()
    assert coding.feed(b"40000000\r\n" + b"x" * 1000) == b"x" * 1000
    assert coding.feed(b"y" * 1000) == b"y" * 1000
    assert not coding.ended


@pytest.mark.parametrize("size", [b"-5", b"+5", b"1_0", b"0x5", b"", b"x" * 5000, b"f" * 40])
def test_a_chunk_of_no_size_is_no_chunk(size: bytes) -> None:
    with pytest.raises(InfrastructureError):
        Chunked().feed(size + b"\r\n")


def test_a_frame_that_no_engine_makes_is_refused() -> None:
    with pytest.raises(InfrastructureError):
        Multiplexed().feed(struct.pack(">BxxxI", 1, FRAME_BYTES + 1))


def archive_of(name: str, content: bytes, kind: bytes = tarfile.REGTYPE, format: int = tarfile.USTAR_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        member = tarfile.TarInfo(name)
        member.type, member.size = kind, len(content)
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


async def taken(pieces: Iterator[bytes], most_bytes: int = EXIT_BYTES) -> tuple[bytes, int]:
    read = 0

    async def come() -> AsyncIterator[bytes]:
        nonlocal read
        for piece in pieces:
            read += len(piece)
            yield piece

    return await small_file(come(), most_bytes), read


def test_of_a_marker_that_is_far_too_large_nothing_is_read() -> None:
    head = archive_of("exit.json", b"")[:512]
    for size in (b"%011o" % (700 << 20), b"\x80" + (10 << 30).to_bytes(10, "big"), b"-0000000001", b"zzzzzzzzzzz"):
        pieces = iter([head[:124] + size + head[135:], *[bytes(1 << 20)] * 100])
        assert asyncio.run(taken(pieces)) == (b"", 512)


def test_a_marker_comes_whole_however_it_is_cut() -> None:
    archive = archive_of("exit.json", b"content")
    assert asyncio.run(taken(bytes([byte]) for byte in archive))[0] == b"content"
    assert asyncio.run(taken(iter([])))[0] == b""
    assert asyncio.run(taken(iter([archive_of("exit.json", b"", tarfile.DIRTYPE)])))[0] == b""
    assert asyncio.run(taken(iter([archive_of("x" * 300, b"content", format=tarfile.PAX_FORMAT)])))[0] == b""
    with pytest.raises(InfrastructureError):
        asyncio.run(taken(iter([archive[:515]])))


@given(st.lists(st.binary(max_size=700), max_size=4))
def test_no_archive_makes_a_reader_raise_anything_else(pieces: list[bytes]) -> None:
    async def come() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def read() -> None:
        async for _ in files_of(come()):
            pass

    for reading in (read(), small_file(come(), 1000)):
        try:
            asyncio.run(reading)
        except InfrastructureError:
            continue
