"""Whether the parameters of a wish are those its pipeline takes, at the commit that is to run."""

import msgspec
from fastflow_events.pipeline.events import PipelineVersionStored
from fastflow_rules.definition import Definition, check_params, from_fact
from fastflow_rules.planning.branch import BranchRefused

from fastflow_gateway.bodies import pointer_to
from fastflow_gateway.deps import Deps
from fastflow_gateway.errors import Finding, InvalidParamsError
from fastflow_gateway.handlers.planning import ask_branch
from fastflow_gateway.views.pipelines import PipelineRow
from fastflow_gateway.wish import RunWish


async def fitting(deps: Deps, row: PipelineRow, wish: RunWish) -> RunWish:
    """The wish with its parameters as the pipeline takes them at its commit.

    Raises:
        InvalidParamsError: they do not fit, each with its reason.
        InfrastructureError: git_sync has to be asked what they were at that commit, and does not answer.
    """
    definition = await _definition(deps, row, wish)
    if definition is None:
        return wish
    checked = check_params(definition, wish.params)
    if isinstance(checked, dict):
        return msgspec.structs.replace(wish, params=checked)
    findings = tuple(
        Finding(
            detail=f"found {problem.found}; allowed: {problem.allowed}", pointer=pointer_to("params", problem.member)
        )
        for problem in checked
    )
    raise InvalidParamsError("; ".join(str(problem) for problem in checked), findings, pipeline=row.name)


async def _definition(deps: Deps, row: PipelineRow, wish: RunWish) -> Definition | None:
    """What the pipeline says of itself at the commit; None where there is nothing to check or nobody to run it.

    A commit that was stored is known to the log, another one to git_sync. One that is unknown to it, or at which the
    pipeline is invalid, is refused when the run is looked at, with that reason.
    """
    head = from_fact(msgspec.json.decode(row.definition))
    if wish.commit in (None, row.commit_sha):
        return head
    for fact in reversed((await deps.log.load("pipeline", row.name)).facts):
        if isinstance(fact, PipelineVersionStored) and fact.commit == wish.commit:
            return from_fact(fact.definition)
    if not wish.params and not head.params:
        return None
    answer = await ask_branch(deps, row.repository, str(wish.commit))
    if isinstance(answer, BranchRefused) or row.name in answer.gone:
        return None
    changed = next((at for at in answer.folders if at.name == row.name), None)
    if changed is None:
        return head
    return from_fact(changed.definition) if changed.definition is not None else None
