"""Whether a repository that nobody watches yet can be read, and what is in it; nothing is stored."""

import msgspec
from fastflow_events.errors import FastflowError
from fastflow_events.message import Statement, all_beside
from fastflow_rules import folder as discovery
from fastflow_rules.git_questions import (
    MOST_BRANCHES,
    MOST_FOLDERS,
    BranchAt,
    CheckAnswer,
    CheckQuestion,
    FolderFound,
)

from fastflow_git_sync.deps import Deps
from fastflow_git_sync.inspection import judge, rules_at
from fastflow_git_sync.looks import encoded, refused
from fastflow_git_sync.ports import GitError, Source


async def check(deps: Deps, question: bytes) -> bytes:
    """Answer what is at the head, or why it cannot be read; never raises."""
    try:
        asked = msgspec.json.decode(question, type=CheckQuestion)
        async with deps.checks, deps.open_once(asked.name, asked.configured) as source:
            return encoded(await _look(source))
    except (FastflowError, msgspec.MsgspecError, OSError) as exc:
        return refused(exc)


async def _look(source: Source) -> CheckAnswer:
    commit = (await source.fetch(None)).commit
    rules = await rules_at(source, commit)
    if isinstance(rules, Statement):
        raise GitError(rules)
    folders = [folder for folder in await source.folders(commit) if discovery.is_name(folder.name)]
    await source.complete(folders[:MOST_FOLDERS])
    found = []
    for folder in folders[:MOST_FOLDERS]:
        judgement = await judge(source, folder, rules.file)
        if isinstance(judgement, discovery.Invalid):
            errors = tuple(map(str, judgement.reasons))
            found.append(FolderFound(name=folder.name, errors=errors, errors_messages=all_beside(judgement.reasons)))
        elif judgement is not None:
            found.append(FolderFound(name=folder.name))
    about = await source.about(commit)
    branches = (await source.branches())[:MOST_BRANCHES]
    return CheckAnswer(
        commit=commit,
        subject=about.subject,
        author=about.author,
        at=about.at,
        folders=tuple(found),
        more=len(folders) > MOST_FOLDERS,
        branches=tuple(BranchAt(name=name, commit=at) for name, at in branches),
    )
