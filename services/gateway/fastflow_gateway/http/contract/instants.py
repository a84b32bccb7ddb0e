"""The form of instants in schemas: msgspec leaves it out where a type does not say whether a zone is wanted."""

from typing import Any

from msgspec import inspect

Schema = dict[str, Any]


def with_instants(schema: Schema, type_: inspect.Type) -> Schema:
    """The schema of the type, with `date-time` wherever it holds an instant."""
    match type_:
        case inspect.Metadata(type=inner):
            return with_instants(schema, inner)
        case inspect.DateTimeType():
            return {**schema, "format": "date-time"}
        case inspect.UnionType(types=types) if "anyOf" in schema and _holds_instants(types):
            return {**schema, "anyOf": [_dated(each) for each in schema["anyOf"]]}
        case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner) if "items" in schema:
            return {**schema, "items": with_instants(schema["items"], inner)}
        case inspect.DictType(value_type=inner) if isinstance(schema.get("additionalProperties"), dict):
            return {**schema, "additionalProperties": with_instants(schema["additionalProperties"], inner)}
        case _:
            return schema


def _holds_instants(types: tuple[inspect.Type, ...]) -> bool:
    kinds = [type(each.type if isinstance(each, inspect.Metadata) else each) for each in types]
    return inspect.DateTimeType in kinds and inspect.StrType not in kinds


def _dated(schema: Schema) -> Schema:
    return {**schema, "format": "date-time"} if schema.get("type") == "string" else schema
