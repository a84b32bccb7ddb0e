from datetime import UTC, datetime

import pytest
from fastflow_runner.adapters.docker.wire import Chunked, Multiplexed, entry, frame, instant
from fastflow_runner.entry.records import (
    LINE_BYTES,
    SPOOL_HEAD,
    control,
    decode_line,
    decode_spool,
    encode_lines,
    encode_rest,
    of_stderr,
    stream_of,
)
from hypothesis import given
from hypothesis import strategies as st

ENGINE_LINE_BYTES = 16_384
PIECES = st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode), st.just(b"\x1e-\n\r\n\xc3")))


def through_lines(pieces: list[bytes]) -> tuple[bytes, bytes]:
    wire = rest = b""
    for piece in pieces:
        lines, rest = encode_lines(rest + piece)
        wire += lines
    wire += encode_rest(rest)
    stored = [line + b"\n" for line in wire.split(b"\n")[:-1]] + ([wire.rpartition(b"\n")[2]] if wire else [])
    return wire, b"".join(decode_line(line)[1] for line in stored if line)


@given(PIECES)
def test_every_byte_comes_back(pieces: list[bytes]) -> None:
    wire, back = through_lines(pieces)
    assert back == b"".join(pieces)
    wire.decode()


@pytest.mark.parametrize(
    "data", [b"x" * 100_000, "ü".encode() * 40_001, b"\xff" * 50_000, b"a" * 15_999 + b"\n" + b"b" * 20_000]
)
def test_no_line_is_longer_than_the_engine_keeps_in_one_piece(data: bytes) -> None:
    wire, back = through_lines([data])
    assert back == data
    assert max(map(len, wire.split(b"\n"))) < ENGINE_LINE_BYTES
    assert max(map(len, of_stderr(wire).split(b"\n"))) < ENGINE_LINE_BYTES
    assert LINE_BYTES < ENGINE_LINE_BYTES


def test_ordinary_lines_are_readable_as_they_are() -> None:
    assert encode_lines("Grüße\nzwei\n".encode()) == ("Grüße\nzwei\n".encode(), b"")


def test_an_unfinished_character_waits_for_its_rest() -> None:
    lines, rest = encode_lines(b"a\xe2\x82")
    assert (lines, rest) == (b"\x1e-a\n", b"\xe2\x82")


def test_a_script_cannot_speak_for_the_entry_program() -> None:
    forged = control(b"x", b'{"nonce":"guessed"}')
    wire, _ = through_lines([forged])
    assert {decode_line(line + b"\n")[0] for line in wire.split(b"\n")[:-1]} == {"-"}


def test_a_torn_record_is_read_as_far_as_it_goes() -> None:
    assert decode_line(b"\x1eb" + b"QUJDRE")[1] == b"ABC"


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 2**63), st.binary(max_size=20))), st.integers(0, 12))
def test_a_spool_is_read_up_to_its_last_whole_record(records: list[tuple[int, int, bytes]], torn: int) -> None:
    whole = b"".join(SPOOL_HEAD.pack(stream, at, len(data)) + data for stream, at, data in records)
    tail = SPOOL_HEAD.pack(1, 0, 5)[:torn]
    assert decode_spool(whole + tail) == (records, len(whole))


@given(st.lists(st.binary(min_size=1, max_size=20)), st.integers(1, 7))
def test_chunks_and_frames_come_apart_however_they_arrive(payloads: list[bytes], step: int) -> None:
    mixed = b"".join(bytes([1 + n % 2, 0, 0, 0]) + len(p).to_bytes(4, "big") + p for n, p in enumerate(payloads))
    coded = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (mixed[:3], mixed[3:]) if part) + b"0\r\n\r\n"
    chunked, multiplexed, found = Chunked(), Multiplexed(), []
    for at in range(0, len(coded), step):
        found += multiplexed.feed(chunked.feed(coded[at : at + step]))
    assert found == [(1 + n % 2, p) for n, p in enumerate(payloads)]
    assert chunked.ended


def test_a_log_entry_is_its_time_and_its_content() -> None:
    at, content = entry(b"2026-11-22T14:00:00.123456789Z two words\n")
    found = frame(7, 2, at, content)
    assert (found.index, found.stream, found.data) == (7, "stderr", b"two words\n")
    assert found.at == datetime(2026, 11, 22, 14, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("text", [b"0001-01-01T00:00:00Z", b"", b"nonsense"])
def test_no_time_is_no_time(text: bytes) -> None:
    assert instant(text) is None


@given(PIECES)
def test_both_streams_travel_over_one_and_come_apart_again(pieces: list[bytes]) -> None:
    wire, _ = through_lines(pieces)
    lines = wire.removesuffix(b"\n").split(b"\n") if wire else []
    marked = of_stderr(wire)
    stored = [line + b"\n" for line in marked.split(b"\n")[:-1]]
    assert [stream_of(1, line) for line in stored] == [(2, line + b"\n") for line in lines]
    assert {stream_of(1, line + b"\n")[0] for line in lines} <= {1}


def test_what_older_workers_wrote_to_standard_error_is_of_standard_error() -> None:
    assert stream_of(2, b"text\n") == (2, b"text\n")
    assert stream_of(2, b"\x1e-text\n") == (2, b"\x1e-text\n")
