"""What a branch would change, before it is merged."""

from collections.abc import AsyncIterator, Iterable

import msgspec
from fastflow_events.aggregates.environment.decider import Environment
from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES
from fastflow_events.errors import ContractError, DomainError, NotFoundError
from fastflow_events.ids import environment_id
from fastflow_events.message import retold
from fastflow_rules.branch_diff.branch import BranchAnswer, BranchQuestion, BranchRefused
from fastflow_rules.branch_diff.changes import Plan
from fastflow_rules.branch_diff.plan import Around, Needed, Present, needed, plan
from fastflow_rules.chains import edge_of_api

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import WhichRepository
from fastflow_gateway.core.refusals import AnswerUnreadable, NoRepository
from fastflow_gateway.core.views.chains import chain_of
from fastflow_gateway.core.views.environments import state_of
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import known_definition
from fastflow_gateway.ports import Questions, ReadModel

ANSWER_WITHIN_S = 120.0
"""git_sync fetches the branch first."""
EVERYTHING = 1_000_000
BUILDERS = ("docker", "process")
"""Who may have installed an environment."""


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
    name = repository or await _only_one(deps.rows)
    answer = await ask_branch(deps.questions, name, ref)
    if isinstance(answer, BranchRefused):
        if answer.missing:
            raise NotFoundError(retold(answer.refused, answer.refused_message), repository=name, ref=ref)
        raise NotPlannableError(retold(answer.refused, answer.refused_message), repository=name, ref=ref)
    rows = await deps.rows.pipelines(after="", limit=EVERYTHING)
    around = Around(
        present=[_present(row) for row in rows],
        chains=[edge_of_api(chain_of(row)) for row in await deps.rows.chains()],
        secrets={row.name for row in await deps.rows.secrets()},
        environments={key: state async for key, state in _known(deps, needed(answer))},
    )
    return plan(answer, around, now=deps.clock())


async def ask_branch(questions: Questions, repository: str, ref: str) -> BranchAnswer | BranchRefused:
    """What git_sync says of a branch or a commit.

    Raises:
        InfrastructureError: it does not answer.
    """
    question = msgspec.json.encode(BranchQuestion(repository=repository, ref=ref))
    return _read(await questions.ask("plan", question, timeout_s=ANSWER_WITHIN_S))


async def _known(deps: Deps, wanted: Iterable[Needed]) -> AsyncIterator[tuple[Needed, str | None]]:
    """Of each environment that is known: that it is installed somewhere, or why it is not."""
    for key in wanted:
        found = Environment()
        for builder in BUILDERS:
            python, added = key.python or deps.default_python, NOTEBOOK_PACKAGES if key.notebook else ()
            id = environment_id(builder, python, key.source, key.sha256, added=added)
            row = await deps.rows.environment(id)
            found = state_of(row) if row else Environment()
            if found.environments:
                break
        if found.environments:
            yield key, None
        elif found.failures:
            yield key, next(iter(found.failures.values()))


async def _only_one(rows: ReadModel) -> str:
    names = [row.name for row in await rows.repositories()]
    if not names:
        raise NotFoundError(NoRepository())
    if len(names) > 1:
        raise InvalidParameterError(WhichRepository(tuple(names)))
    return names[0]


def _read(data: bytes) -> BranchAnswer | BranchRefused:
    try:
        members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if "refused" in members:
            return msgspec.json.decode(data, type=BranchRefused)
        return msgspec.json.decode(data, type=BranchAnswer)
    except msgspec.MsgspecError as exc:
        raise ContractError(AnswerUnreadable()) from exc


def _present(row: PipelineRow) -> Present:
    definition = msgspec.json.decode(row.definition)
    return Present(
        name=row.name,
        repository=row.repository,
        definition=known_definition(definition),
    )
