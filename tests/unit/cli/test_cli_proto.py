"""Comparing schemas, and describing them."""

from typing import Any

from fastflow_cli.proto.compatibility import broken
from fastflow_events.aggregates.run.events import RunDispatched, RunRetryScheduled
from fastflow_events.words import structs_in, words_of


def schema(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"$defs": {"Thing": {"properties": properties, "required": list(required)}}}


TEXT = {"type": "string"}


def test_a_new_field_with_a_default_breaks_nothing() -> None:
    assert broken(schema({"a": TEXT}), schema({"a": TEXT, "b": {"type": "integer", "default": 0}})) == []


def test_a_removed_field_breaks_a_promise() -> None:
    assert broken(schema({"a": TEXT, "b": TEXT}), schema({"a": TEXT})) == ["Thing.b is gone"]


def test_a_field_that_becomes_required_breaks_a_promise() -> None:
    assert broken(schema({"a": TEXT}), schema({"a": TEXT}, ("a",))) == ["Thing.a has become required"]


def test_a_new_required_field_breaks_a_promise() -> None:
    assert broken(schema({}), schema({"a": TEXT}, ("a",))) == ["Thing.a has become required"]


def test_a_field_that_takes_less_breaks_a_promise() -> None:
    nullable = {"anyOf": [TEXT, {"type": "null"}]}
    assert broken(schema({"a": nullable}), schema({"a": TEXT})) == ["Thing.a no longer takes null"]
    assert broken(schema({"a": TEXT}), schema({"a": nullable})) == []
    assert broken(schema({"a": {"enum": ["x", "y"]}}), schema({"a": {"enum": ["x"]}})) == [
        "Thing.a no longer takes 'y'"
    ]
    lists = {"type": "array", "items": TEXT}, {"type": "array", "items": {"type": "integer"}}
    assert broken(schema({"a": lists[0]}), schema({"a": lists[1]})) == ["Thing.a no longer takes array of string"]


def test_a_struct_that_is_gone_breaks_a_promise() -> None:
    assert broken(schema({}), {"$defs": {}}) == ["Thing is gone"]


def test_the_words_under_a_field_describe_it() -> None:
    assert words_of(RunRetryScheduled)["attempt"] == "The next attempt."
    assert {"Specification", "Limits", "Requirements"} <= set(structs_in(RunDispatched))
