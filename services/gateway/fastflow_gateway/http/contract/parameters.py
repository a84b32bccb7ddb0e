"""Parameters as they are: text in an address is never null, and numbers have the bounds that are looked at."""

from collections.abc import Mapping
from typing import Any

from fastflow_gateway.http.contract.schemas import Schema

NOISE = ("deprecated", "allowEmptyValue", "allowReserved")
"""What the framework says of every parameter, and nobody asked."""


def parameter_of(known: dict[str, Any], bounds: Mapping[str, Schema]) -> dict[str, Any]:
    """The parameter without what cannot be."""
    kept = {key: value for key, value in known.items() if key not in NOISE}
    return {**kept, "schema": {**_narrowed(known["schema"]), **bounds.get(known["name"], {})}}


def _narrowed(schema: Schema) -> Schema:
    match schema:
        case {"oneOf": [*alternatives]}:
            beside = {key: value for key, value in schema.items() if key not in ("oneOf", "type", "default")}
            real = [_narrowed(each) for each in alternatives if each != {"type": "null"}]
            return {**real[0], **beside} if len(real) == 1 else {**beside, "oneOf": real}
        case _:
            return schema
