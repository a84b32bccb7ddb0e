"""No name steers the terminal of who reads it, be it in a line of ours, a table, JSON or a log."""

import json
import logging
import unicodedata

import msgspec
from fastflow_events.printable import tame, tame_json
from fastflow_events.service.telemetry import JsonFormatter
from hypothesis import given
from hypothesis import strategies as st

CONTROL = [chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2028, 0x200F, 0xFEFF)]
TEXTS = st.text(st.sampled_from([*CONTROL, "a", "ü", "\\", '"', "☃"])) | st.text(st.characters(codec="utf-8"))
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def steers(letter: str) -> bool:
    """By Unicode's own tables."""
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(letter) in BIDI


@given(TEXTS)
def test_nothing_that_is_printed_as_one_line_steers(text: str) -> None:
    assert not any(map(steers, tame(text, one_line=True)))
    assert {letter for letter in tame(text) if steers(letter)} <= {"\n", "\t"}


@given(TEXTS)
def test_json_means_the_same_and_steers_nothing(text: str) -> None:
    encoded = tame_json(msgspec.json.encode({text: [text]}))
    assert json.loads(encoded) == {text: [text]}
    assert not any(map(steers, encoded.decode()))


@given(TEXTS)
def test_a_line_of_a_log_is_one_line_and_steers_nothing(text: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (text,), None)
    record.name_of_a_pipeline = text
    line = JsonFormatter("gateway").format(record)
    assert not any(map(steers, line))
    assert json.loads(line)["message"] == text
