"""Schemas of everything that goes in and out, made of the types themselves."""

from collections.abc import Iterable
from typing import Any

import msgspec
from fastflow_events.catalogue import facts
from fastflow_events.words import structs_in, words_of
from fastflow_rules.definition.schema import pipeline_schema
from msgspec import Struct

from fastflow_gateway.core.problems import Problem
from fastflow_gateway.http.bodies import Body
from fastflow_gateway.http.contract.instants import with_instants

Schema = dict[str, Any]
REF = "#/components/schemas/{name}"


def components_of(answers: Iterable[type[Struct]], bodies: Iterable[Body]) -> dict[str, Schema]:
    """Name to schema, in the order of the names.

    Members that are always written are required in what goes out; what comes in requires what its type requires.
    """
    asked = {body.type: body for body in bodies}
    outward: list[type[Struct]] = [*answers, Problem]
    written = {cls for answer in outward for cls in structs_in(answer).values()}
    stored = facts().values()
    every: set[type[Struct]] = {*written, *asked, *stored}
    types = sorted(every, key=_place)
    _, found = msgspec.json.schema_components(types, ref_template=REF, schema_hook=_anything)
    known = {name: cls for type_ in types for name, cls in structs_in(type_).items()}
    _must_differ(known, types)
    read = {cls for type_ in asked for cls in structs_in(type_).values()}
    schemas = {name: _with_words(schema, known[name]) for name, schema in found.items()}
    for cls in written - read:
        schemas[cls.__name__] = {**schemas[cls.__name__], **_written(cls)}
    for cls, body in asked.items():
        if body.exactly_one:
            schemas[cls.__name__] = {**schemas[cls.__name__], "oneOf": _one_of(schemas[cls.__name__], body)}
    definition = {key: value for key, value in pipeline_schema().items() if not key.startswith("$")}
    by_type = [{"$ref": REF.format(name=cls.__name__)} for cls in stored]
    data = {"description": "What the fact says; `type` beside it tells which.", "anyOf": [*by_type, {"type": "object"}]}
    return dict(sorted({**schemas, "Definition": definition, "FactData": data}.items()))


def resolved(value: Any) -> Any:
    """The schema with members that only name a component turned into references."""
    match value:
        case {"x-component": str(name)}:
            return {"$ref": REF.format(name=name)}
        case dict():
            return {key: resolved(member) for key, member in value.items()}
        case list() | tuple():
            return [resolved(member) for member in value]
        case _:
            return value


def _place(cls: type[Struct]) -> tuple[str, str]:
    return cls.__module__, cls.__name__


def _must_differ(known: dict[str, type[Struct]], types: list[type[Struct]]) -> None:
    """Names of components are those of classes.

    Raises:
        ValueError: two classes have the same.
    """
    for cls in types:
        if (other := known[cls.__name__]) is not cls:
            raise ValueError(f"{_place(cls)} and {_place(other)} are both named {cls.__name__} in the contract")


def _with_words(schema: Schema, cls: type[Struct]) -> Schema:
    """The schema with what stands under its fields, and with the form of instants, which msgspec leaves out."""
    if "properties" not in schema:
        return schema
    words, properties = words_of(cls), dict(schema["properties"])
    for field in msgspec.inspect.type_info(cls).fields:  # type: ignore[attr-defined]
        member = with_instants(properties[field.encode_name], field.type)
        says = {"description": words[field.name]} if field.name in words else {}
        properties[field.encode_name] = {**member, **says}
    return {**schema, "properties": properties}


def _written(cls: type[Struct]) -> Schema:
    """Which members are always there."""
    config = cls.__struct_config__
    if config.omit_defaults:
        return {}
    fields = msgspec.structs.fields(cls)
    always = [field.encode_name for field in fields if field.default is not msgspec.UNSET]
    tag = [str(config.tag_field)] if config.tag_field else []
    return {"required": [*tag, *always]} if tag or always else {}


def _one_of(schema: Schema, body: Body) -> list[Schema]:
    """Each of the alternatives with a value of its own, and the others without one."""
    found = []
    for name in body.exactly_one:
        others = {other: {"type": "null"} for other in body.exactly_one if other != name}
        (own,) = (each for each in schema["properties"][name]["anyOf"] if each != {"type": "null"})
        found.append({"title": name, "required": [name], "properties": {name: own, **others}})
    return found


def _anything(type_: type) -> Schema:
    if type_ is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError(type_)
