"""Histories, branches and checks of repositories, as git_sync reads them at this moment; nothing is stored."""

import re
from typing import TypeVar

import msgspec
from fastflow_events.errors import ContractError, NotFoundError
from fastflow_events.message import retold
from fastflow_rules.git_questions import (
    BranchesAnswer,
    BranchesQuestion,
    CheckAnswer,
    CheckQuestion,
    Refused,
    VersionAt,
    VersionsAnswer,
    VersionsQuestion,
)
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import NoCursor
from fastflow_gateway.core.git_errors import GitUnreadableError
from fastflow_gateway.core.git_hosts import commit_url, folder_url, repository_url
from fastflow_gateway.core.refusals import AnswerUnreadable
from fastflow_gateway.core.responses.git import (
    FolderCheck,
    RefList,
    RefResponse,
    RepositoryCheck,
    VersionPage,
    VersionResponse,
)
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import find_pipeline
from fastflow_gateway.handlers.repositories import RepositoryBody, configured_of, find_repository
from fastflow_gateway.ports import Questions

A = TypeVar("A", bound=Struct)
LOOK_WITHIN_S = 60.0
CHECK_WITHIN_S = 120.0
"""The history of the branch is fetched."""
_CURSOR = re.compile(r"(?P<head>[0-9a-f]{40}|[0-9a-f]{64})\.(?P<skip>[0-9]{1,7})", re.ASCII)
NOBODYS = "check"
"""Whose credentials a repository without a name is looked into with."""


async def versions_of(deps: Deps, name: str, *, cursor: str | None, limit: int) -> VersionPage:
    """Commits that changed the folder of a pipeline, newest first.

    Raises:
        NotFoundError: there is no such pipeline, or its repository is not watched any more.
        InvalidParameterError: the cursor is none of ours.
        GitUnreadableError: git_sync cannot read the history.
        InfrastructureError: git_sync does not answer.
    """
    head, skip = _place(cursor)
    row = await find_pipeline(deps, name)
    repository = await find_repository(deps.rows, row.repository)
    question = VersionsQuestion(repository=row.repository, folder=name, head=head, skip=skip, limit=limit)
    found = await _asked(deps.questions, "versions", question, VersionsAnswer, within_s=LOOK_WITHIN_S)
    current = found.versions[0].commit if skip == 0 and found.versions and found.versions[0].tree == row.tree else ""
    return VersionPage(
        pipeline=name,
        repository=row.repository,
        items=[_version(each, repository, name, is_current=each.commit == current) for each in found.versions],
        next=f"{found.head}.{skip + limit}" if found.more else None,
    )


async def refs_of(deps: Deps, name: str) -> RefList:
    """The branches of a watched repository, as its host has them now.

    Raises:
        NotFoundError: it is not watched.
        GitUnreadableError: the host cannot be asked.
        InfrastructureError: git_sync does not answer.
    """
    row = await find_repository(deps.rows, name)
    question = BranchesQuestion(repository=name)
    found = await _asked(deps.questions, "branches", question, BranchesAnswer, within_s=LOOK_WITHIN_S)
    items = [
        RefResponse(
            name=branch.name,
            commit=branch.commit,
            commit_url=commit_url(row.url, branch.commit),
            is_watched=branch.name == row.branch,
        )
        for branch in found.branches
    ]
    return RefList(items=items, has_more=found.more)


async def check_repository(deps: Deps, name: str | None, body: RepositoryBody) -> RepositoryCheck:
    """Whether a repository could be watched with what the body says, and what is in it.

    Raises:
        InvalidFieldError: an address, a branch or credentials that cannot be.
        InfrastructureError: git_sync does not answer.
    """
    whose = name or NOBODYS
    configured = await configured_of(deps, whose, body, who="")
    answer = await deps.questions.ask(
        "check", msgspec.json.encode(CheckQuestion(name=whose, configured=configured)), timeout_s=CHECK_WITHIN_S
    )
    found = _read(answer, CheckAnswer)
    if isinstance(found, Refused):
        return RepositoryCheck(is_readable=False, reason=found.refused, reason_message=found.refused_message)
    return RepositoryCheck(
        is_readable=True,
        reason="",
        reason_message=None,
        commit=found.commit,
        commit_subject=found.subject,
        commit_author=found.author,
        committed_at=text_of(found.at) if found.at else None,
        web_url=repository_url(configured.url),
        pipelines=[
            FolderCheck(name=each.name, errors=list(each.errors), errors_messages=list(each.errors_messages))
            for each in found.folders
        ],
        has_more=found.more,
        branches=[branch.name for branch in found.branches],
    )


def _place(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return "", 0
    if (found := _CURSOR.fullmatch(cursor)) is None:
        raise InvalidParameterError(NoCursor(), cursor=cursor[:80])
    return found["head"], int(found["skip"])


def _version(found: VersionAt, repository: RepositoryRow, name: str, *, is_current: bool) -> VersionResponse:
    page = folder_url(repository.url, found.commit, repository.subfolder, name) if found.tree else None
    return VersionResponse(
        commit=found.commit,
        commit_url=commit_url(repository.url, found.commit),
        web_url=page,
        tree=found.tree,
        subject=found.subject,
        author=found.author,
        at=text_of(found.at) if found.at else None,
        files=list(found.files),
        files_changed=found.files_changed,
        changed=list(found.changed),
        is_current=is_current,
    )


async def _asked(questions: Questions, what: str, question: Struct, type_: type[A], *, within_s: float) -> A:
    found = _read(await questions.ask(what, msgspec.json.encode(question), timeout_s=within_s), type_)
    if isinstance(found, Refused):
        words = retold(found.refused, found.refused_message)
        raise NotFoundError(words) if found.missing else GitUnreadableError(words)
    return found


def _read(data: bytes, type_: type[A]) -> A | Refused:
    try:
        if "refused" in msgspec.json.decode(data, type=dict[str, msgspec.Raw]):
            return msgspec.json.decode(data, type=Refused)
        return msgspec.json.decode(data, type=type_)
    except msgspec.MsgspecError as exc:
        raise ContractError(AnswerUnreadable()) from exc
