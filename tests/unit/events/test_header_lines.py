"""Headers are read as nats-py reads them, only sooner."""

import pytest
from fastflow_events.nats.client import Connection
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

PIECES = st.sampled_from(
    [b"Nats-Sequence", b"ce-id", b":", b": ", b"\r\n", b"\n", b" ", b"\t", b"7", "ü".encode(), b"\xff", b"\x00"]
)


@given(st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join))
def test_any_block_of_headers_reads_the_same(raw: bytes) -> None:
    assert Connection._parse_header_lines(raw) == Client._parse_header_lines(raw)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"ce-id: run/r1/1\r\nNats-Sequence:7\r\n\r\n", {"ce-id": "run/r1/1", "Nats-Sequence": "7"}),
        (b"a: b: c\r\na: d\r\n", {"a": "d"}),
        ("why: zu groß\r\n".encode(), {"why": "zu groß"}),
        (b"two words: x\r\ngood: y\r\n", {"good": "y"}),
        (b" padded : x \r\n", {"padded": "x"}),
        (b"", {}),
    ],
)
def test_headers_are_names_and_values(raw: bytes, read: dict[str, str]) -> None:
    assert Connection._parse_header_lines(raw) == read
