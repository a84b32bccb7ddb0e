"""What a body that a handler reads itself looks like, for the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody


class Body(NamedTuple):
    """A body, and one that says something."""

    type: type[msgspec.Struct]
    example: Mapping[str, Any] | None
    exactly_one: tuple[str, ...] = ()
    """Members of which one is given."""

    @property
    def required(self) -> bool:
        """Whether something has to be said."""
        return bool(self.exactly_one) or any(field.required for field in msgspec.structs.fields(self.type))


def operation_with(
    body: type[msgspec.Struct], *, example: Mapping[str, Any] | None = None, exactly_one: tuple[str, ...] = ()
) -> type[Operation]:
    """The handler takes raw bytes, for exact pointers; its document says what it reads all the same."""
    whole = Body(body, example, exactly_one)
    content = OpenAPIMediaType(schema=Reference(ref=f"#/components/schemas/{body.__name__}"), example=example)

    @dataclass
    class WithBody(Operation):
        body: ClassVar[Body] = whole

        def __post_init__(self) -> None:
            self.request_body = RequestBody(content={"application/json": content}, required=whole.required)

    return WithBody
