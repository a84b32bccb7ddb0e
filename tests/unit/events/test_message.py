"""A sentence is made of its template and its arguments, whatever stands in them."""

import json
import re
from typing import Any

import msgspec
import pytest
from fastflow_cli.proto.messages import catalogue, changed_arguments, kind_of, modules_that_say
from fastflow_events.message import (
    MAX_ITEMS,
    MAX_TEXT,
    Message,
    Retold,
    Statement,
    Verbatim,
    all_retold,
    is_plain,
    names_in,
    retold,
    statements,
)
from fastflow_rules.queue.waits import GroupLimit, NoSlot
from hypothesis import given
from hypothesis import strategies as st

CATALOGUE = catalogue()
HOSTILE = st.text(max_size=50) | st.sampled_from(
    ["{pool}", "{0.__class__}", "''", "{", "%s", "{n, plural, one {} other {}}"]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": HOSTILE,
    "instant": HOSTILE,
    "integer": st.integers(-(2**53), 2**53) | st.just(1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "message": st.builds(Verbatim, HOSTILE) | st.builds(NoSlot, HOSTILE, st.integers(0, 2)),
    "list of text": st.lists(HOSTILE, max_size=3).map(tuple),
    "list of message": st.lists(st.builds(Verbatim, HOSTILE), max_size=3).map(tuple),
}


def as_a_page_says_it(message: dict[str, Any]) -> str:
    """The sentence from the catalogue alone, by another way than that of the product."""
    entry = CATALOGUE[message["code"]]
    template, out = entry["english"], ""
    while template:
        if found := re.match(r"\{(\w+), plural, one \{(.*?)\} other \{(.*?)\}\}", template):
            count = message["args"][found[1]]
            out += (found[2] if count == 1 else found[3]).replace("#", str(count))
        elif found := re.match(r"\{(\w+)\}", template):
            out += worded(entry["args"][found[1]], message["args"][found[1]])
        elif found := re.match(r"''", template):
            out += "'"
        else:
            found = re.match(r".", template, re.DOTALL)
            assert found
            out += found[0]
        template = template[found.end() :]
    return out


def worded(kind: str, value: Any) -> str:
    match kind:
        case "message":
            return as_a_page_says_it(value)
        case "list of message":
            return "; ".join(as_a_page_says_it(each) for each in value)
        case "list of text":
            return ", ".join(value)
        case "number":
            return f"{value:g}"
        case _:
            return str(value)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
@given(data=st.data())
def test_the_template_of_the_catalogue_with_the_arguments_is_exactly_the_sentence(
    code: str, data: st.DataObject
) -> None:
    cls = statements()[code]
    values = [data.draw(VALUES[kind_of(cls, name)]) for name in cls.__struct_fields__]
    statement = cls(*values)
    wire = json.loads(msgspec.json.encode(statement.message))
    assert as_a_page_says_it(wire) == str(statement)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_template_names_each_of_its_arguments_and_nothing_else(code: str) -> None:
    entry = CATALOGUE[code]
    assert names_in(entry["english"]) == entry["args"].keys()
    assert is_plain(entry["english"])
    assert re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)?", code)
    assert entry["about"].endswith(".")


def test_no_two_statements_have_one_code() -> None:
    def below(cls: type[Statement]) -> list[type[Statement]]:
        return [each for child in cls.__subclasses__() for each in (child, *below(child))]

    codes = [cls.__struct_config__.tag for cls in below(Statement) if cls.__struct_config__.tag]
    assert sorted(set(codes)) == sorted(codes)


def test_an_argument_is_cut_in_the_sentence_and_in_the_message_alike() -> None:
    long = GroupLimit(1, 1, "x" * (MAX_TEXT + 1))
    assert long.message.args["group"] == "x" * MAX_TEXT
    assert str(long) == "1 of at most 1 runs of group " + "x" * MAX_TEXT + " are active"


def test_a_list_is_cut_in_the_sentence_and_in_the_message_alike() -> None:
    class Several(Statement, frozen=True, tag="test.several"):
        english = "{names}"
        names: tuple[str, ...]

    several = Several(tuple("abc" * MAX_ITEMS))
    assert str(several).split(", ") == several.message.args["names"]
    assert len(several.message.args["names"]) == MAX_ITEMS


def test_what_is_retold_keeps_its_words_and_its_code_although_nobody_here_knows_it() -> None:
    newer = Message(code="of.a.newer.release", args={"n": [1]})
    assert str(retold("words", newer)) == "words"
    assert retold("words", newer).message == newer
    assert isinstance(retold("words", newer), Retold)


def test_words_without_a_code_stand_for_themselves() -> None:
    assert retold("{words}", None) == Verbatim("{words}")
    assert str(retold("{words}", None)) == "{words}"


def test_codes_that_do_not_fit_their_texts_count_for_nothing() -> None:
    assert all_retold(("a", "b"), (Message(code="x"),)) == (Verbatim("a"), Verbatim("b"))
    assert all_retold(("a",), (Message(code="x"),)) == (Retold("a", Message(code="x")),)


def test_no_code_loses_an_argument_unnoticed() -> None:
    before = {"a": {"args": {"n": "integer"}}, "gone": {"args": {"n": "integer"}}}
    assert changed_arguments(before, {"a": {"args": {"n": "integer", "m": "text"}}}) == []
    assert changed_arguments(before, {"a": {"args": {"n": "text"}}}) == ["a had the argument n, integer"]
    assert changed_arguments(before, {"a": {"args": {}}}) == ["a had the argument n, integer"]


@pytest.mark.parametrize("template", ["'{a}", "{a", "a}", "{a.b}", "{a!r}", "{a[0]}", "{}"])
def test_a_template_that_a_page_would_read_otherwise_is_none(template: str) -> None:
    assert not is_plain(template)


def test_every_package_that_says_something_is_in_the_catalogue() -> None:
    assert {code.partition(".")[0] for code in CATALOGUE} >= {"waits", "refusal", "run", "scheduler"}
    assert modules_that_say("fastflow_rules")
