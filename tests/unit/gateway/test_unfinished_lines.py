"""A line that has not ended is told in parts, and nothing that was told is taken back."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from fastflow_events.output import Chunk, OutFrame, StreamName
from fastflow_gateway.core.lines import Line, LineFold, LogPosition
from fastflow_gateway.core.unfinished_lines import Part
from fastflow_runner.core.masking import Masker
from hypothesis import example, given
from hypothesis import strategies as st

T0 = datetime(2030, 1, 1, tzinfo=UTC)
PART_BYTES = 8
stories = st.lists(
    st.builds(
        OutFrame,
        st.sampled_from(["stdout", "stderr"]),
        st.integers(0, 10_000).map(lambda ms: T0 + timedelta(milliseconds=ms)),
        st.lists(st.sampled_from([b"\n", b"a", b"\r", b"\xff", "ü".encode(), b"\xc3", b"\x80", b"0123456789"])).map(
            b"".join
        ),
    ),
    max_size=25,
)


def short_lines() -> LineFold:
    return LineFold(max_line_bytes=64, part_bytes=PART_BYTES)


def out(data: bytes, stream: StreamName = "stdout") -> OutFrame:
    return OutFrame(stream, T0, data)


def cut(frames: Sequence[OutFrame], cuts: Sequence[int]) -> list[Chunk]:
    edges = sorted({0, len(frames), *(c % (len(frames) + 1) for c in cuts)})
    return [Chunk(first=a, frames=tuple(frames[a:b])) for a, b in pairwise(edges)]


def exact(value: Line | Part) -> bytes:
    return value.text.encode() if value.b64 is None else base64.b64decode(value.b64)


class Reader:
    """Puts the parts of each stream's unfinished line together, as the page and the command do."""

    def __init__(self) -> None:
        self.fold = short_lines()
        self.seen: dict[str, bytes | None] = {}
        """Of each unfinished line; None where there was a hole."""

    def feed(self, chunk: Chunk) -> list[Part]:
        for _, line in self.fold.feed(1, chunk):
            assert isinstance(line, Line)
            seen = self.seen.pop(line.stream, b"")
            assert seen is None or exact(line).startswith(seen)
        parts = self.fold.parts()
        for part in parts:
            before = self.seen.get(part.stream, b"")
            whole = before is not None and part.offset <= len(before)
            assert not whole or part.offset in {0, len(before or b"")}
            self.seen[part.stream] = (before or b"")[: part.offset] + exact(part) if whole else None
        return parts


@given(stories, st.lists(st.integers(0, 100)))
def test_what_was_told_of_a_line_is_its_beginning_when_it_ends(story: list[OutFrame], cuts: list[int]) -> None:
    reader = Reader()
    for chunk in [*cut(story, cuts), Chunk(first=len(story), frames=(), last=True)]:
        reader.feed(chunk)
    assert not reader.seen


@given(stories, st.lists(st.integers(0, 100)))
def test_all_of_an_unfinished_line_is_told_at_once_but_half_a_character(story: list[OutFrame], cuts: list[int]) -> None:
    reader = Reader()
    for chunk in cut(story, cuts):
        reader.feed(chunk)
        for stream, begun in reader.fold._open.items():
            left = begun.size - begun.sent.bytes
            assert 0 <= left < 4
            seen = reader.seen.get(stream, b"")
            assert seen is None or seen == begun.whole()[: begun.sent.bytes]


@given(stories, st.lists(st.integers(0, 100)))
def test_telling_parts_changes_no_line_and_no_number(story: list[OutFrame], cuts: list[int]) -> None:
    silent, telling = short_lines(), short_lines()
    for chunk in [*cut(story, cuts), Chunk(first=len(story), frames=(), last=True)]:
        found = telling.feed(1, chunk)
        telling.parts()
        assert silent.feed(1, chunk) == found


@given(stories, st.lists(st.integers(0, 100)))
def test_a_part_bears_the_number_that_its_line_had_if_everything_ended_now(
    story: list[OutFrame], cuts: list[int]
) -> None:
    for size in range(len(cuts) + 1):
        fold = short_lines()
        for chunk in cut(story, cuts[:size]):
            fold.feed(1, chunk)
        numbers = {part.stream: part.n for part in fold.parts()}
        ended = {line.stream: line.n for _, line in fold.close() if isinstance(line, Line)}
        assert numbers.items() <= ended.items()


@given(st.text("s3cret-x\n", max_size=60), st.lists(st.integers(0, 80), max_size=12))
@example("say s3cret-value\n", [5, 8, 12])
def test_no_beginning_of_a_secret_is_told_before_the_rest_is_known(text: str, cuts: list[int]) -> None:
    data = f"{text}s3cret-value{text}".encode()
    edges = sorted({0, len(data), *(c % (len(data) + 1) for c in cuts)})
    masker, whole, fold, found = Masker(["s3cret-value"]), Masker(["s3cret-value"]), LineFold(), b""
    wanted = whole.feed(out(data)).data + b"".join(frame.data for frame in whole.rest())
    for n, (a, b) in enumerate(pairwise(edges)):
        for _, line in fold.feed(1, Chunk(first=n, frames=(masker.feed(out(data[a:b])),))):
            assert isinstance(line, Line)
            found = found[: found.rfind(b"\n") + 1] + line.text.encode() + b"\n"
        for part in fold.parts():
            assert part.offset == len(found) - found.rfind(b"\n") - 1
            found += part.text.encode()
        assert wanted.startswith(found)


def test_a_progress_bar_is_shown_while_it_grows_and_once_more_when_it_ends() -> None:
    fold = short_lines()
    seen: list[tuple[int, str, int]] = []
    for n, data in enumerate([b"\r10%", b"\r20%", b"\r30%\n"]):
        [*ended] = fold.feed(1, Chunk(first=n, frames=(out(data, "stderr"),)))
        seen += [(part.n, part.text, part.offset) for part in fold.parts()]
    assert seen == [(1, "\r10%", 0), (1, "\r20%", 4)]
    assert ended == [(LogPosition(1, 1), Line(1, "stderr", T0, "\r10%\r20%\r30%"))]


def test_a_line_whose_number_is_taken_says_its_new_one() -> None:
    fold = short_lines()
    fold.feed(1, Chunk(first=0, frames=(out(b"50%", "stderr"),)))
    assert [(part.n, part.text) for part in fold.parts()] == [(1, "50%")]
    assert fold.parts() == []
    fold.feed(1, Chunk(first=1, frames=(out(b"line\n"),)))
    assert [(part.n, part.text, part.offset) for part in fold.parts()] == [(2, "", 3)]


def test_half_a_character_waits_for_its_rest() -> None:
    fold = short_lines()
    fold.feed(1, Chunk(first=0, frames=(out(b"a\xe2\x82"),)))
    assert [part.text for part in fold.parts()] == ["a"]
    fold.feed(1, Chunk(first=1, frames=(out(b"\xac"),)))
    assert [(part.text, part.offset) for part in fold.parts()] == [("€", 1)]


def test_of_much_at_once_the_end_is_told() -> None:
    fold = short_lines()
    fold.feed(1, Chunk(first=0, frames=(out("ü".encode() * 10 + b"a"),)))
    assert [(part.text, part.offset) for part in fold.parts()] == [("üüüa", 14)]


@given(stories)
def test_whoever_comes_later_is_told_what_the_others_know_of_a_line(frames: Sequence[OutFrame]) -> None:
    fold, known = short_lines(), dict[StreamName, bytes | None]()
    for index, frame in enumerate(frames):
        for _, line in fold.feed(1, Chunk(first=index, frames=(frame,))):
            assert isinstance(line, Line)
            known.pop(line.stream, None)
        if index % 2:
            for part in fold.parts():
                before = known.get(part.stream, b"") if part.offset else b""
                hole = before is None or part.offset != len(before)
                known[part.stream] = None if hole else (before or b"") + exact(part)
        told = {part.stream: part for part in fold.told()}
        assert set(told) == set(known)
        for stream, seen in known.items():
            assert seen is None or seen.endswith(exact(told[stream]))
            assert seen is None or len(seen) == told[stream].offset + len(exact(told[stream]))
