"""Where the variables of runs come from: what the pipelines at the heads say, by name and never by value."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from fastflow_rules.definition import Definition
from msgspec import Struct

from fastflow_gateway.handlers.pipelines import definition_of, list_pipelines
from fastflow_gateway.ports import ReadModel

Source: TypeAlias = Literal["default_env", "encrypted_env", "secrets"]
AT_ONCE = 1000


class VariableResponse(Struct, frozen=True, kw_only=True):
    """One variable that a pipeline sets, or a secret that it wants."""

    key: str
    pipeline: str
    source: Source
    run_config_id: str | None = None
    """The schedule that says it; null for the pipeline itself."""
    missing: bool = False
    """True for a secret that nobody has set."""


async def variables_of_pipelines(read_model: ReadModel) -> list[VariableResponse]:
    """Every variable of every pipeline that is valid, by pipeline."""
    known = {row.name for row in await read_model.secrets()}
    found: list[VariableResponse] = []
    after = ""
    while rows := await list_pipelines(read_model, after=after, limit=AT_ONCE, tags=frozenset()):
        for row in rows:
            if (definition := definition_of(row)) is not None:
                found += variables_of(row.name, definition, known)
        after = rows[-1].name
    return found


def variables_of(pipeline: str, definition: Definition, known: set[str]) -> Iterator[VariableResponse]:
    """What one pipeline says; `known` are the names of the secrets there are."""
    for run_config_id, config in [(None, definition), *((each.id, each) for each in definition.schedules)]:
        sources: tuple[tuple[Source, dict[str, str]], ...] = (
            ("default_env", config.env),
            ("encrypted_env", config.sealed_env),
        )
        for source, variables in sources:
            for key in sorted(variables):
                yield VariableResponse(key=key, pipeline=pipeline, source=source, run_config_id=run_config_id)
    for key in definition.secrets:
        yield VariableResponse(key=key, pipeline=pipeline, source="secrets", missing=key not in known)
