"""Values never leave, whatever they are written as and however output is cut; everything else leaves as it is."""

import base64
import html
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal
from urllib.parse import quote, quote_plus
from xml.sax import saxutils

import pytest
from fastflow_events.output import OutFrame
from fastflow_events.testing.builders import NOON
from fastflow_runner.core.masking import MASK, Masker, Withheld
from fastflow_runner.entry.mask_forms import forms
from hypothesis import example, given
from hypothesis import strategies as st

SECRET = "s3cr/t+väl\"ue'&"
VALUES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=24), max_size=3)
TIGHT_VALUES = st.lists(st.text("ab\n", min_size=4, max_size=7), min_size=1, max_size=3)


def frame(data: bytes, stream: Literal["stdout", "stderr"] = "stdout") -> OutFrame:
    return OutFrame(stream=stream, at=NOON, data=data)


def masked(values: Iterable[str], pieces: Iterable[bytes]) -> bytes:
    masker = Masker(values)
    return b"".join(out.data for out in [*(masker.feed(frame(piece)) for piece in pieces), *masker.rest()])


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    bounds = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


@given(VALUES, st.lists(st.binary(max_size=40), max_size=4), st.data())
def test_no_form_of_a_value_leaves_and_the_cuts_do_not_matter(
    values: list[str], noise: list[bytes], data: st.DataObject
) -> None:
    needles = sorted(forms(values))
    spoken = data.draw(st.lists(st.sampled_from([*needles, *noise, b"\n", b"x"]), max_size=6))
    text = b"".join(spoken)
    whole = masked(values, [text])
    assert not any(needle in whole for needle in needles if needle not in MASK * 3)
    assert masked(values, cut(text, data.draw(st.lists(st.integers(0, 300), max_size=8)))) == whole


@given(TIGHT_VALUES, st.text("abc\n", max_size=40), st.lists(st.integers(0, 40), max_size=12))
@example(["aaaa"], "aaaaaaaaaaaaaaaaab", [1, 2, 3, 4, 5, 6, 7, 8])
@example(["abab", "ababababa"], "xabababababy", [3, 4, 6, 9])
def test_values_that_overlap_are_covered_wherever_output_is_cut(
    values: list[str], text: str, places: list[int]
) -> None:
    data = text.encode()
    covered = bytearray(len(data))
    for needle in forms(values):
        for at in range(len(data)):
            if data.startswith(needle, at):
                covered[at : at + len(needle)] = b"\1" * len(needle)
    whole = masked(values, [data])
    assert whole.replace(MASK, b"") == bytes(byte for byte, hit in zip(data, covered, strict=True) if not hit)
    assert masked(values, cut(data, places)) == whole
    assert masked(values, [data[at : at + 1] for at in range(len(data))]) == whole


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_what_holds_no_value_passes_byte_for_byte(pieces: list[bytes]) -> None:
    assert masked(["not in there at all"], pieces) == b"".join(pieces)


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        json.dumps({"a": SECRET}),
        json.dumps({"a": SECRET}, ensure_ascii=False),
        json.dumps({"a": SECRET}).replace("/", "\\/"),
        repr({"a": SECRET}),
        repr(SECRET.encode()),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"me:{SECRET}:more".encode()).decode(),
        base64.urlsafe_b64encode(f"x{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        f"x{SECRET}".encode().hex(),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        html.escape(SECRET).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        html.escape(SECRET).replace("&#x27;", "&apos;"),
        html.escape(SECRET).encode("ascii", "xmlcharrefreplace").decode(),
        saxutils.escape(SECRET),
        saxutils.quoteattr(SECRET),
    ],
)
def test_a_value_is_recognised_in_every_usual_spelling(written: str) -> None:
    out = masked([SECRET], [f"before {written} after\n".encode()]).decode()
    assert "***" in out
    assert out.startswith("before ")
    assert out.endswith(" after\n")
    assert all(part not in out for part in ("s3cr", "ue'", "ue&", "/t+", "%2Ft", "%2ft"))


@pytest.mark.parametrize("before", range(5))
def test_base64_gives_away_less_than_a_byte_at_each_end(before: int) -> None:
    value = "0123456789abcdef"
    out = masked([value], [base64.b64encode(b"-" * before + value.encode() + b"~~~~")])
    head, _, tail = out.partition(MASK)
    assert len(head) <= (before * 8 + 5) // 6
    assert len(tail) <= (4 * 8 + 5) // 6 + 2


def test_broken_base64_of_a_long_value_is_recognised() -> None:
    value = "".join(f"{n:05}" for n in range(60))
    out = masked([value], [base64.encodebytes(value.encode() + b"\n")])
    assert out.startswith(MASK)
    assert len(out) < 12


def test_a_key_of_several_lines_is_recognised_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    for line in key.splitlines():
        assert masked([key], [f"> {line}\n".encode()]) == b"> ***\n"
    assert masked([key], [key.replace("\n", "\r\n").encode()]).count(b"MII") == 0


def test_white_space_around_a_value_is_not_part_of_what_is_secret() -> None:
    assert masked(["hunter22\n"], [b"it is hunter22!\n"]) == b"it is ***!\n"


def test_values_that_are_too_short_are_not_masked() -> None:
    assert masked(["abc", ""], [b"abc is the alphabet\n"]) == b"abc is the alphabet\n"


def test_of_a_frame_only_the_possible_beginning_of_a_value_is_held_back() -> None:
    masker = Masker(["hunter22"])
    assert masker.feed(frame(b"login: hu")).data == b"login: "
    assert masker.feed(frame(b"man\n")).data == b"human\n"
    assert masker.feed(frame(b"hunter2")).data == b""
    assert masker.feed(frame(b"2 done\n")).data == b"*** done\n"
    assert masker.rest() == []


def test_what_is_held_back_leaves_at_the_end() -> None:
    masker = Masker(["hunter22"])
    masker.feed(frame(b"a hunt"))
    masker.feed(frame(b"b hun", "stderr"))
    assert masker.rest() == [frame(b"hunt"), frame(b"hun", "stderr")]


def test_the_streams_do_not_complete_each_other() -> None:
    masker = Masker(["hunter22"])
    outs = [masker.feed(frame(b"hunter")), masker.feed(frame(b"22\n", "stderr")), masker.feed(frame(b"22\n"))]
    assert [out.data for out in outs] == [b"", b"22\n", b"***\n"]


def test_endless_output_that_could_always_go_on_is_held_in_bounded_memory() -> None:
    masker = Masker(["a" * 1000])
    held = 0
    for _ in range(200):
        held += 900 - len(masker.feed(frame(b"a" * 900)).data)
    assert b"".join(out.data for out in masker.rest()) in (b"", MASK)
    assert max(len(stream._held) for stream in masker._streams.values()) < 1400


@pytest.mark.parametrize("at", range(1, 12))
def test_neither_half_of_a_value_that_a_gap_cuts_in_two_leaves(at: int) -> None:
    value = "correct-horse"
    masker = Masker([value])
    before = masker.feed(frame(f"it is {value[:at]}".encode()))
    after = masker.feed(frame(f"{value[at:]} indeed\n".encode()), gap=True)
    left, right = (before.data + after.data).removeprefix(b"it is ").removesuffix(b" indeed\n"), value.encode()
    assert len(left.replace(MASK, b"")) < 4
    assert not any(right[n : n + 4] in left for n in range(len(right) - 3))


def test_at_a_gap_everything_else_leaves() -> None:
    masker = Masker(["correct-horse"])
    outs = [masker.feed(frame(b"abc co")), masker.feed(frame(b"rn and horses\n"), gap=True)]
    assert b"".join(out.data for out in outs) == b"abc corn and horses\n"
    assert masker.feed(frame(b"ect-"), gap=True).data == MASK
    assert masker.feed(frame(b"no piece of it"), gap=True).data == b"no piece of it"
    assert masker.rest() == []


def test_a_text_is_masked_as_a_whole() -> None:
    assert Masker(["hunter22"]).text("to/hunter22/and hunt") == "to/***/and hunt"


def test_output_that_nobody_can_mask_is_withheld_but_counted() -> None:
    why = frame(b"why\n", "stderr")
    mask = Withheld(why)
    assert mask.feed(frame(b"anything")) == frame(b"")
    assert (mask.rest(), mask.text("anything")) == ([why], "***")
