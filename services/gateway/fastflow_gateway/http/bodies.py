"""What a body that a handler reads itself looks like, for the OpenAPI document."""

from dataclasses import dataclass

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema


def operation_with(body: type[msgspec.Struct]) -> type[Operation]:
    """The handler takes raw bytes, for exact pointers; its document says what it reads all the same."""
    whole = msgspec.json.schema(body)["$defs"][body.__name__]
    schema = Schema(
        title=body.__name__, description=whole["description"], type=whole["type"], properties=whole["properties"]
    )

    @dataclass
    class WithBody(Operation):
        def __post_init__(self) -> None:
            content = {"application/json": OpenAPIMediaType(schema=schema)}
            self.request_body = RequestBody(content=content, required=False)

    return WithBody
