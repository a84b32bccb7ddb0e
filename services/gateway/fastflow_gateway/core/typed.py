"""Names for what the types of Python cannot say: text with a form, and JSON whose schema is elsewhere."""

from typing import Annotated, Any, TypeAlias

from msgspec import Meta

InstantText: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, UTC, with `Z`."""
DefinitionJson: TypeAlias = Annotated[dict[str, Any], Meta(extra_json_schema={"x-component": "Definition"})]
"""What a `pipeline.json` says."""
FactJson: TypeAlias = Annotated[dict[str, Any], Meta(extra_json_schema={"x-component": "FactData"})]
"""What a fact says."""
