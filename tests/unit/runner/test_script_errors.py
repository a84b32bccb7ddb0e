"""A script's last error is read out of what real Pythons print, however it is cut, and out of nothing else."""

import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.output import LineCounter, OutFrame, StreamName
from fastflow_runner.core.script_errors import MAX_MESSAGE_CHARS, ErrorFinder
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 1, 1, tzinfo=UTC)


def found_in(*pieces: bytes | tuple[StreamName, bytes]) -> ScriptError | None:
    finder, counter = ErrorFinder(), LineCounter()
    for index, piece in enumerate(pieces):
        stream: StreamName = "stderr" if isinstance(piece, bytes) else piece[0]
        data = piece if isinstance(piece, bytes) else piece[1]
        frame = OutFrame(stream=stream, at=AT, data=data)
        finder.feed(frame, counter.complete)
        counter.add(index, frame)
    return finder.last


def printed_by(folder: Path, script: str, **modules: str) -> bytes:
    app = folder / "app"
    app.mkdir()
    (app / "main.py").write_text(script)
    for name, text in modules.items():
        (app / f"{name}.py").write_text(text)
    done = subprocess.run([sys.executable, app / "main.py"], capture_output=True, check=False, cwd=app)
    assert done.returncode == 1
    return done.stderr


CHAINED = """
def price(of):
    try:
        return {}[of]
    except KeyError as error:
        raise ValueError(f"no price for {of}") from error

price("sku")
"""
GROUP = 'raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])'


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("prices = {}\nprices['sku']\n", "KeyError: 'sku', main.py:2"),
        (CHAINED, "ValueError: no price for sku, main.py:6"),
        ("import json\njson.loads('{')\n", None),
        ("assert False\n", "AssertionError, main.py:1"),
        ("raise ValueError('first\\nsecond')\n", "ValueError: first, main.py:1"),
        ("x = = 1\n", "SyntaxError: invalid syntax, main.py:1"),
        ("import sub.deep\n", "ModuleNotFoundError: No module named 'sub', main.py:1"),
        ("import broken\n", "SyntaxError: invalid syntax, broken.py:2"),
        ("def f():\n    f()\nf()\n", "RecursionError: maximum recursion depth exceeded, main.py:2"),
        (GROUP, "ExceptionGroup: several (2 sub-exceptions), main.py:1"),
        ("exec(compile('1/0', '<string>', 'exec'))\n", "ZeroDivisionError: division by zero, main.py:1"),
    ],
)
def test_what_python_prints_is_read(tmp_path: Path, script: str, words: str | None) -> None:
    error = found_in(printed_by(tmp_path, script, broken="\nx = = 1\n"))
    assert error is not None
    if words is None:  # the deepest place is in the library; the pipeline's own line is what helps
        words = f"json.decoder.JSONDecodeError: {error.message}, main.py:2"
        assert error.message.startswith("Expecting property name")
    assert error.in_words == words


def test_the_line_of_the_log_is_the_one_that_names_the_error(tmp_path: Path) -> None:
    text = printed_by(tmp_path, "print(1)\nraise ValueError('x')\n")
    error = found_in(("stdout", b"one\ntwo\nthree unfinished"), b"warning\n" + text)
    assert error is not None
    assert error.log_line == 2 + 1 + text.count(b"\n")


NOTEBOOK = b"""\
---------------------------------------------------------------------------
KeyError                                  Traceback (most recent call last)
Cell In[3], line 2
      1 prices = {}
----> 2 total(prices)

Cell In[2], line 5, in total(prices)
      4 def total(prices):
----> 5     return prices["sku"]

KeyError: 'sku'
"""


def test_what_a_kernel_prints_is_read() -> None:
    error = found_in(NOTEBOOK)
    assert error is not None
    assert (error.in_words, error.cell, error.log_line) == ("KeyError: 'sku', cell [2], line 5", 2, 11)


@pytest.mark.parametrize(
    "text",
    [
        b"Traceback (most recent call last):\n\nnothing\n",
        b"Traceback (most recent call last):\n",
        b'  File "a", line 1\n    x\nKeyError: no\n',
        b'see  File "/app/main.py", line 3\nValueError: no\n',
        b"ValueError: no\n",
        b"Traceback (most recent call last): of last week\nValueError: no\n",
    ],
)
def test_what_only_looks_a_bit_like_it_is_no_error(text: bytes) -> None:
    assert found_in(text) is None


def test_the_last_of_several_counts_and_the_streams_are_kept_apart() -> None:
    begun = b'Traceback (most recent call last):\n  File "/app/main.py", line 1, in <module>\n'
    error = found_in(begun, ("stdout", b"OtherError: of the other stream\n"), b"KeyError: 1\n", begun, b"KeyError: 2\n")
    assert error is not None
    assert (error.message, error.log_line) == ("2", 7)


def test_words_without_end_are_cut() -> None:
    begun = b'Traceback (most recent call last):\n  File "/app/main.py", line 1, in <module>\n'
    error = found_in(begun + b"E: " + b"x" * 10**6 + b"\n")
    assert error is not None
    assert len(error.message) == MAX_MESSAGE_CHARS


@given(cuts=st.lists(st.integers(0, len(NOTEBOOK) * 2), max_size=12))
def test_it_does_not_matter_where_output_is_cut(cuts: list[int]) -> None:
    text = NOTEBOOK + b'Traceback (most recent call last):\n  File "/app/a.py", line 7, in f\nE: x\n'
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[begin:end] for begin, end in pairwise(bounds) if begin < end]
    assert found_in(*pieces) == found_in(text)


PARTS = [
    b"Traceback (most recent call last):",
    b"\n",
    b'  File "',
    b'x", line 9',
    b"E: y",
    b" | ",
    b"\xff",
    b"KeyError",
    b"In [1]",
]


@given(pieces=st.lists(st.lists(st.sampled_from(PARTS) | st.binary(max_size=8), max_size=8).map(b"".join), max_size=8))
def test_no_output_breaks_the_reading(pieces: list[bytes]) -> None:
    found_in(*(piece for piece in pieces if piece))
