"""What runs after what, as `pipeline.json` says it."""

from typing import Any

from fastflow_rules.definition import values
from fastflow_rules.definition.kinds import Field, Kind, array, flag, table, text
from fastflow_rules.definition.model import Downstream, Upstream
from fastflow_rules.definition.problem import At

_PIPELINE = text(blank=False, max_length=200)
_CONFIG = Field(text(blank=False, max_length=100), "run_config_id", "The schedule id to run it with.")
_PARAMS = Field(
    values.variables(), "params", "Param to text, or to $params.NAME or $result.MEMBER of the run before; $$ is $."
)

DOWNSTREAM: Kind[Downstream] = table(
    {
        "pipeline": Field(_PIPELINE, "pipeline", "the pipeline to run next", required=True),
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
        at.key("all").refuse(found["all"], "at least one pipeline")
    return Upstream(**{**found, "all": tuple(dict.fromkeys(found["all"]))})


UPSTREAM: Kind[Upstream] = table(
    {
        "all": Field(array(_PIPELINE, max_items=100), "all", "the pipelines that must have succeeded", required=True),
        "run_config_id": _CONFIG,
        "params": _PARAMS,
    },
    _upstream,
)
"""Fan-in: one run for one success of each."""
