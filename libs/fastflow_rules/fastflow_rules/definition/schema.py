"""The JSON Schema of `pipeline.json`, for editors and for `proto/`."""

from fastflow_rules.definition.fields import fields
from fastflow_rules.definition.kinds import object_schema


def pipeline_schema() -> dict[str, object]:
    """Return the schema; it is made of the same table the file is read with."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:fastflow:pipeline.schema.json",
        "title": "pipeline.json",
        "description": "What a pipeline says about itself. Every member is optional; unknown ones are ignored, loudly.",
        **object_schema(fields({})),
    }
