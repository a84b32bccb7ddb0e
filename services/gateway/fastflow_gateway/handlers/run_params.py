"""Whether the params of a request are those its pipeline takes, where the log knows the commit that is to run.

Of a commit that is not stored nothing is known here, and nobody is asked: the run is accepted, and the scheduler
refuses it with the same sentences once git_sync has stored that version.
"""

import msgspec
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.log import EventLog
from fastflow_rules.definition import Definition, check_params, from_fact

from fastflow_gateway.core.bodies import pointer_to
from fastflow_gateway.core.errors import InvalidParamsError, finding
from fastflow_gateway.core.faults import OfParam, Several
from fastflow_gateway.core.run_request import RunOptions
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.handlers.pipelines import definition_of


async def fitting(log: EventLog, row: PipelineRow, options: RunOptions) -> RunOptions:
    """The options with their params as the pipeline takes them at its commit.

    Raises:
        InvalidParamsError: they do not fit, each with its reason.
        InfrastructureError: the log does not answer.
    """
    definition = await _definition(log, row, options)
    if definition is None:
        return options
    checked = check_params(definition, options.params)
    if isinstance(checked, dict):
        return msgspec.structs.replace(options, params=checked)
    findings = tuple(
        finding(OfParam(problem.found, problem.allowed), pointer_to("params", problem.member)) for problem in checked
    )
    raise InvalidParamsError(Several(tuple(problem.statement for problem in checked)), findings, pipeline=row.name)


async def _definition(log: EventLog, row: PipelineRow, options: RunOptions) -> Definition | None:
    """What the pipeline says of itself at the commit; None while the log does not know it."""
    if options.commit in (None, row.commit_sha):
        return definition_of(row)
    for fact in reversed((await log.load("pipeline", row.name)).facts):
        if isinstance(fact, PipelineVersionStored) and fact.commit == options.commit:
            return from_fact(fact.definition)
    return None
