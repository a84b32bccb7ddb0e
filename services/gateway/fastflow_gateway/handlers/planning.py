"""What a branch would change, before it is merged."""

import msgspec
from fastflow_events.errors import ContractError, DomainError, NotFoundError
from fastflow_rules.definition import from_fact
from fastflow_rules.planning.branch import BranchAnswer, BranchQuestion, BranchRefused
from fastflow_rules.planning.changes import Plan
from fastflow_rules.planning.plan import Present, plan

from fastflow_gateway.deps import Deps
from fastflow_gateway.errors import InvalidParameterError
from fastflow_gateway.views.pipelines import PipelineRow

ANSWER_WITHIN_S = 120.0
"""git_sync fetches the branch first."""
EVERYTHING = 1_000_000


class NotPlannableError(DomainError):
    """The branch cannot be planned."""

    code = "not-plannable"


async def plan_branch(deps: Deps, repository: str | None, ref: str) -> Plan:
    """Ask git_sync for the branch, and compare it with everything that is there.

    Raises:
        InvalidParameterError: several repositories are watched and none is named.
        NotFoundError: there is no such repository or branch.
        NotPlannableError: the branch cannot be read as pipelines.
        InfrastructureError: git_sync does not answer.
    """
    name = repository or await _only_one(deps)
    question = msgspec.json.encode(BranchQuestion(repository=name, ref=ref))
    answer = _read(await deps.questions.ask("plan", question, timeout_s=ANSWER_WITHIN_S))
    if isinstance(answer, BranchRefused):
        if answer.missing:
            raise NotFoundError(answer.refused, repository=name, ref=ref)
        raise NotPlannableError(answer.refused, repository=name, ref=ref)
    rows = await deps.rows.pipelines(after="", limit=EVERYTHING)
    secrets = {row.name for row in await deps.rows.secrets()}
    return plan(answer, [_present(row) for row in rows], secrets, now=deps.clock())


async def _only_one(deps: Deps) -> str:
    names = [row.name for row in await deps.rows.repositories()]
    if not names:
        raise NotFoundError("no repository is watched")
    if len(names) > 1:
        raise InvalidParameterError(f"say which repository: {', '.join(names)}")
    return names[0]


def _read(data: bytes) -> BranchAnswer | BranchRefused:
    try:
        members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if "refused" in members:
            return msgspec.json.decode(data, type=BranchRefused)
        return msgspec.json.decode(data, type=BranchAnswer)
    except msgspec.MsgspecError as exc:
        raise ContractError("git_sync gave an answer that cannot be read") from exc


def _present(row: PipelineRow) -> Present:
    definition = msgspec.json.decode(row.definition)
    return Present(
        name=row.name,
        repository=row.repository,
        definition=from_fact(definition) if definition is not None else None,
        requirements_sha256=row.requirements_sha256,
    )
