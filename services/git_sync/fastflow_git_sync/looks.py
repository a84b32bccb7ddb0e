"""What git_sync is asked of repositories that it watches: the history of a folder, and branches; nothing is stored."""

from collections.abc import Mapping

import msgspec
from fastflow_events.errors import FastflowError
from fastflow_events.message import Statement, Verbatim
from fastflow_rules.branch_diff.branch import MAX_ANSWER_BYTES
from fastflow_rules.git_questions import (
    MOST_BRANCHES,
    MOST_FILES,
    MOST_VERSIONS,
    BranchAt,
    BranchesAnswer,
    BranchesQuestion,
    Refused,
    VersionAt,
    VersionsAnswer,
    VersionsQuestion,
)

from fastflow_git_sync.core.faults import NoRepository, TooMuch
from fastflow_git_sync.deps import Deps, Repo
from fastflow_git_sync.ports import CommitMissingError, GitError, Version


async def versions(deps: Deps, question: bytes) -> bytes:
    """Answer which commits changed a folder; never raises."""
    try:
        asked = msgspec.json.decode(question, type=VersionsQuestion)
        repo = watched(deps.here, asked.repository)
        head = asked.head or (await deps.repositories.known(repo.name)).state.commit
        if not head:
            raise CommitMissingError(NoRepository(asked.repository))
        if asked.head:
            await repo.source.require(asked.head)
        limit = max(1, min(asked.limit, MOST_VERSIONS))
        found = await repo.source.versions(head, asked.folder, skip=max(0, asked.skip), limit=limit + 1)
    except (FastflowError, msgspec.MsgspecError) as exc:
        return refused(exc)
    shown = tuple(map(_shown, found[:limit]))
    return encoded(VersionsAnswer(head=head, versions=shown, more=len(found) > limit))


async def branches(here: Mapping[str, Repo], question: bytes) -> bytes:
    """Answer which branches the host has; never raises."""
    try:
        asked = msgspec.json.decode(question, type=BranchesQuestion)
        found = await watched(here, asked.repository).source.branches()
    except (FastflowError, msgspec.MsgspecError) as exc:
        return refused(exc)
    named = tuple(BranchAt(name=name, commit=commit) for name, commit in found[:MOST_BRANCHES])
    return encoded(BranchesAnswer(branches=named, more=len(found) > MOST_BRANCHES))


def watched(here: Mapping[str, Repo], name: str) -> Repo:
    """The repository, while it is open.

    Raises:
        CommitMissingError: nobody watches it, or it cannot be opened.
    """
    if (repo := here.get(name)) is None:
        raise CommitMissingError(NoRepository(name))
    return repo


def refused(why: Exception) -> bytes:
    """Why there is no answer."""
    words: Statement = why.statement if isinstance(why, FastflowError) else Verbatim(str(why))
    refusal = Refused(refused=str(words), refused_message=words.message, missing=isinstance(why, CommitMissingError))
    return msgspec.json.encode(refusal)


def encoded(answer: object) -> bytes:
    """The answer, or that it is too long for one."""
    body = msgspec.json.encode(answer)
    return body if len(body) <= MAX_ANSWER_BYTES else refused(GitError(TooMuch()))


def _shown(version: Version) -> VersionAt:
    return VersionAt(
        commit=version.commit,
        tree=version.tree,
        subject=version.about.subject,
        author=version.about.author,
        at=version.about.at,
        files=tuple(path.encode("utf-8", "replace").decode() for path in version.paths[:MOST_FILES]),
        files_changed=len(version.paths),
        changed=version.changed,
    )
