"""What runs after what, as `pipeline.json` says it."""

from typing import Any

from fastflow_events.plain import MAX_DEPTH

from fastflow_rules.definition import allowed as allow
from fastflow_rules.definition import values
from fastflow_rules.definition.asked import closed
from fastflow_rules.definition.found import PathOf, TheName, brief
from fastflow_rules.definition.kinds import Field, Kind, array, flag, table, text
from fastflow_rules.definition.model import Downstream, Upstream
from fastflow_rules.definition.problem import At, Problem

PATH_ALLOWED = allow.PathUpTo(MAX_DEPTH)


def too_long(text: str) -> bool:
    """Whether a param names a member that no result can hold: results are not nested so deeply."""
    return text.startswith(("$params.", "$result.")) and text.count(".") > MAX_DEPTH


def _handed_over() -> Kind[dict[str, str]]:
    plain = values.variables()

    def read(value: object, at: At) -> dict[str, str] | Problem:
        found = plain.read(value, at)
        for name, why in closed(found) if isinstance(found, dict) else ():
            at.key(name).refuse_as(TheName(brief(name)), why)
        for name, expression in found.items() if isinstance(found, dict) else ():
            if too_long(expression):
                at.key(name).refuse_as(PathOf(expression.count(".")), PATH_ALLOWED)
        return found

    return Kind(read, plain.schema)


_PIPELINE = text(blank=False, max_length=200)
_CONFIG = Field(text(blank=False, max_length=100), "run_config_id", "The schedule id to run it with.")
_PARAMS = Field(
    _handed_over(), "params", "Param to text, or to $params.NAME or $result.MEMBER of the run before; $$ is $."
)

DOWNSTREAM: Kind[Downstream] = table(
    {
        "pipeline": Field(_PIPELINE, "pipeline", str(allow.NextPipeline()), required=allow.NextPipeline()),
        "on_success": Field(flag(), "on_success", "Run it after a success; true."),
        "on_failure": Field(flag(), "on_failure", "Run it after the final failure; false."),
        "on_route": Field(text(blank=False, max_length=128), "on_route", "Run it after this route only."),
        "run_config_id": _CONFIG,
        "params": _PARAMS,
    },
    lambda found, _: Downstream(**found),
)


def _upstream(found: dict[str, Any], at: At) -> Upstream:
    if not found["all"]:
        at.key("all").refuse(found["all"], allow.OnePipeline())
    return Upstream(**{**found, "all": tuple(dict.fromkeys(found["all"]))})


UPSTREAM: Kind[Upstream] = table(
    {
        "all": Field(
            array(_PIPELINE, max_items=100), "all", str(allow.PipelinesBefore()), required=allow.PipelinesBefore()
        ),
        "run_config_id": _CONFIG,
        "params": _PARAMS,
    },
    _upstream,
)
"""Fan-in: one run for one success of each."""
