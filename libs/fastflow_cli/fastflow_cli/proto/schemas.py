"""One JSON Schema per fact."""

import msgspec
from fastflow_events.fact import Fact
from fastflow_events.words import Schema, with_words

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(type_: str, cls: type[Fact]) -> Schema:
    """The schema of a fact's body; further members are allowed, because newer writers may add some."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:fastflow:event:{type_}",
        "title": type_,
        **with_words(msgspec.json.schema(cls, schema_hook=anything), cls),
    }


def anything(type_: type) -> Schema:
    """The schema of a member that may hold any JSON value."""
    if type_ is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError(type_)
