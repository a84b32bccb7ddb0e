"""Lines on their way to a terminal or a file, before they have ended."""

import base64

import pytest
from fastflow_cli.following import Line, Partial
from fastflow_cli.unfinished_lines import Piece, Unfinished
from hypothesis import given
from hypothesis import strategies as st

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["stdout", "stderr"]),
        st.text("ab\r\xfc", max_size=6),
        st.sampled_from(["goes on", "ends", "breaks off", "connection"]),
        st.integers(0, 6),
    ),
    max_size=30,
)


def line(text: str, stream: str = "stdout", *, unterminated: bool = False) -> Line:
    return Line(n=1, stream=stream, text=text, unterminated=unterminated)


def part(text: str, offset: int = 0, stream: str = "stdout") -> Partial:
    return Partial(n=1, stream=stream, text=text, offset=offset)


def on_screen(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


@given(STEPS)
def test_a_file_gets_every_byte_once_whatever_was_told_before(steps: list[tuple[str, str, str, int]]) -> None:
    screen = Unfinished(terminal=False)
    written: list[Piece] = []
    wanted, open_, fields = {"stdout": b"", "stderr": b""}, {"stdout": b"", "stderr": b""}, {"stdout": 0, "stderr": 0}
    for stream, text, then, hole in steps:
        open_[stream] += text.encode()
        if then == "connection":  # whoever comes back is told from the beginning, or the end of it
            fields = {"stdout": hole, "stderr": 0}
        if then in ("ends", "breaks off"):
            whole = Line(
                n=1,
                stream=stream,
                text="",
                b64=base64.b64encode(open_[stream]).decode(),
                unterminated=then == "breaks off",
            )
            written += screen.line(whole)
            wanted[stream] += whole.raw()
            open_[stream], fields[stream] = b"", 0
            continue
        offset = min(fields[stream], len(open_[stream]))
        exact = base64.b64encode(open_[stream][offset:]).decode()
        written += screen.part(Partial(n=1, stream=stream, text="", b64=exact, offset=offset))
        fields[stream] = len(open_[stream])
    for stream, before in wanted.items():
        last = base64.b64encode(open_[stream]).decode()
        written += screen.line(Line(n=1, stream=stream, text="", b64=last, unterminated=True))
        assert b"".join(piece.data for piece in written if piece.stream == stream) == before + open_[stream]


def test_dots_appear_one_after_the_other() -> None:
    screen = Unfinished(terminal=True)
    assert [on_screen(screen.part(part(".", n))) for n in range(3)] == [b"."] * 3
    assert on_screen(screen.line(line("... done"))) == b" done\n"


def test_on_a_terminal_a_line_does_not_stick_to_a_progress_bar() -> None:
    screen = Unfinished(terminal=True)
    screen.part(part("\r50%", 0, "stderr"))
    assert on_screen(screen.line(line("hello"))) == b"\nhello\n"
    assert on_screen(screen.part(part("\r60%", 4, "stderr"))) == b"\r60%"
    assert on_screen(screen.line(line("\r50%\r60%", "stderr"))) == b"\n"


def test_a_bar_whose_line_was_ended_for_another_leaves_no_blank_line() -> None:
    screen = Unfinished(terminal=True)
    screen.part(part("\r99%", 0, "stderr"))
    screen.line(line("hello"))
    assert on_screen(screen.line(line("\r99%", "stderr"))) == b""


def test_a_person_sees_the_newest_where_a_file_waits_for_the_whole_line() -> None:
    screen, file = Unfinished(terminal=True), Unfinished(terminal=False)
    assert on_screen(screen.part(part("\r97%", 90_000))) == b"\r97%"
    assert file.part(part("\r97%", 90_000)) == []
    assert on_screen(screen.line(line("\r96%\r97%"))) == b"\r\r96%\r97%\n"
    assert on_screen(file.line(line("\r96%\r97%"))) == b"\r96%\r97%\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_our_own_words_begin_a_line_on_a_terminal(terminal: bool) -> None:
    screen = Unfinished(terminal=terminal)
    screen.line(line("end", unterminated=True))
    assert on_screen(screen.settled()) == (b"\n" if terminal else b"")
