"""What may run: the pipelines at the heads of their repositories."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import msgspec
from fastflow_events.errors import NotFoundError, UntrustedError
from fastflow_rules.definition import Definition, from_fact, run_config

from fastflow_gateway.core.errors import InvalidFieldError, NotRunnableError, finding
from fastflow_gateway.core.faults import NoRunConfigurations, OtherRunConfigurations
from fastflow_gateway.core.refusals import (
    NoPipeline,
    NoPipelineButLike,
    PipelineDisabled,
    PipelineInvalid,
    PipelineRemoved,
    SaysDisabled,
)
from fastflow_gateway.core.views import pipelines as view
from fastflow_gateway.core.views.pipelines import PipelineRow, errors_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.ports import ReadModel

KEPT = 256
"""Definitions that were read; most runs are asked of few pipelines."""


async def list_pipelines(read_model: ReadModel, *, after: str, limit: int, tags: frozenset[str]) -> list[PipelineRow]:
    """Pipelines by name behind `after`, at most `limit`; with tags those that have one of them."""
    found: list[PipelineRow] = []
    while len(found) < limit:
        rows = await read_model.pipelines(after=after, limit=limit)
        found += [row for row in rows if not tags or tags & _tags_of_row(row)]
        if len(rows) < limit:
            break
        after = rows[-1].name
    return found[:limit]


def tags_of(text: str) -> frozenset[str]:
    """The tags of a list with commas, for comparing."""
    return frozenset(word.strip().casefold() for word in text.split(",") if word.strip())


def _tags_of_row(row: PipelineRow) -> frozenset[str]:
    definition = msgspec.json.decode(row.definition) or {}
    return frozenset(tag.casefold() for tag in definition.get("tags", ()))


def definition_of(row: PipelineRow) -> Definition | None:
    """What the pipeline says of itself at the head; None while it is invalid.

    Raises:
        UntrustedError: another release wrote it, with values that this one does not know.
    """
    return _read(row.definition)


@lru_cache(KEPT)
def _read(text: str) -> Definition | None:
    definition = msgspec.json.decode(text)
    return None if definition is None else from_fact(definition)


def known_definition(definition: Mapping[str, Any] | None) -> Definition | None:
    """The same for lists of many pipelines, where one that another release wrote must not hide the others."""
    try:
        return from_fact(definition) if definition is not None else None
    except UntrustedError:
        return None


async def find_pipeline(deps: Deps, name: str) -> PipelineRow:
    """The pipeline, whatever its state; a fact that is not in the rows yet is found in the log.

    Raises:
        NotFoundError: nobody ever saw it, or it is gone from the head.
    """
    row = await deps.rows.pipeline(name) or view.fold((await deps.log.load("pipeline", name)).recorded)
    if row is None:
        close = get_close_matches(name, await deps.rows.pipeline_names(), n=1)
        raise NotFoundError(NoPipelineButLike(name, close[0]) if close else NoPipeline(name), pipeline=name)
    if row.status == "removed":
        raise NotFoundError(PipelineRemoved(name, row.commit_sha[:12]), pipeline=name)
    return row


async def find_runnable(deps: Deps, name: str, run_config_id: str | None) -> PipelineRow:
    """The pipeline, if a run of it may be asked for now.

    Raises:
        NotFoundError: there is no such pipeline.
        UntrustedError: a fact about it cannot be read.
        NotRunnableError: it is invalid or disabled.
        InvalidFieldError: it has no such run configuration.
    """
    row = await find_pipeline(deps, name)
    deps.log.doubts.check("pipeline", name)
    if row.status == "invalid":
        reasons = errors_of(row)
        why = PipelineInvalid(name, row.commit_sha[:12], reasons)
        raise NotRunnableError(why, tuple(finding(reason) for reason in reasons), pipeline=name)
    if row.status == "disabled":
        says = SaysDisabled()
        raise NotRunnableError(PipelineDisabled(name, says), (finding(says),), pipeline=name)
    if run_config_id is not None:
        definition = definition_of(row)
        assert definition is not None  # it is valid
        if run_config(definition, run_config_id) is None:
            known = tuple(schedule.id for schedule in definition.schedules)
            raise InvalidFieldError(OtherRunConfigurations(known) if known else NoRunConfigurations(), "/run_config_id")
    return row
