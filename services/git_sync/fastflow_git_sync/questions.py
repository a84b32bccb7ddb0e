"""What git_sync is asked and answers at once: nothing of it is stored, for nothing has happened."""

import msgspec
from fastflow_events.aggregates.pipeline.decider import Pipeline, codes_of
from fastflow_events.errors import FastflowError
from fastflow_events.message import Statement, Verbatim, all_beside
from fastflow_rules import folder as discovery
from fastflow_rules.branch_diff.branch import MAX_ANSWER_BYTES, BranchAnswer, BranchQuestion, BranchRefused, FolderAt
from fastflow_rules.definition import to_fact
from fastflow_rules.folder import Folder

from fastflow_git_sync.core.faults import NoRepository, TooMuch
from fastflow_git_sync.deps import Deps, Repo
from fastflow_git_sync.inspection import Rules, judge, rules_at
from fastflow_git_sync.ports import CommitMissingError, GitError, Source


async def plan(deps: Deps, question: bytes) -> bytes:
    """Answer what a branch would change; never raises."""
    try:
        asked = msgspec.json.decode(question, type=BranchQuestion)
        repo = deps.here.get(asked.repository)
        if repo is None:
            return _refused(NoRepository(asked.repository), missing=True)
        answer = _encoded(await _read(deps, repo, asked.ref))
    except CommitMissingError as exc:
        return _refused(exc.statement, missing=True)
    except FastflowError as exc:
        return _refused(exc.statement)
    except msgspec.MsgspecError as exc:
        return _refused(Verbatim(str(exc)))
    if len(answer) > MAX_ANSWER_BYTES:
        return _refused(TooMuch())
    return answer


def encode_key(public_key: str) -> bytes:
    """The answer to the question for the key."""
    return _encoded({"public_key": public_key})


async def _read(deps: Deps, repo: Repo, ref: str) -> BranchAnswer:
    source, base = repo.source, (await deps.repositories.known(repo.name)).state.commit
    commit = await source.branch(ref)
    rules = await rules_at(source, commit)
    if isinstance(rules, Statement):
        raise GitError(rules)
    before = await rules_at(source, base) if base else Rules()
    same_rules = isinstance(before, Rules) and before.oid == rules.oid
    folders = [folder for folder in await source.folders(commit) if discovery.is_name(folder.name)]
    present = await deps.pipelines.present(repo.name)
    looked_at = [f for f in folders if not (same_rules and _same_tree(f, present.get(f.name)))]
    await source.complete(looked_at)
    found = [at for folder in looked_at if (at := await _at(source, folder, rules))]
    changed = tuple(at for at in found if not _same(at, present.get(at.name)))
    names = {at.name for at in found} | {folder.name for folder in folders if folder not in looked_at}
    return BranchAnswer(
        repository=repo.name,
        ref=ref,
        commit=commit,
        base=base,
        folders=changed,
        gone=tuple(sorted(present.keys() - names)),
        unchanged=len(present.keys() & names) - sum(at.name in present for at in changed),
    )


def _same_tree(folder: Folder, known: Pipeline | None) -> bool:
    return known is not None and known.tree == folder.tree


def _same(at: FolderAt, known: Pipeline | None) -> bool:
    if known is None or known.tree != at.tree:
        return False
    if at.definition is not None:
        return known.definition == at.definition
    return codes_of(known.errors, known.errors_messages) == codes_of(at.errors, at.errors_messages)


async def _at(source: Source, folder: Folder, rules: Rules) -> FolderAt | None:
    judgement = await judge(source, folder, rules.file)
    match judgement:
        case None:
            return None
        case discovery.Invalid(reasons=reasons):
            return FolderAt(
                name=folder.name,
                tree=folder.tree,
                errors=tuple(map(str, reasons)),
                errors_messages=all_beside(reasons),
            )
        case _:
            return FolderAt(
                name=folder.name,
                tree=folder.tree,
                definition=to_fact(judgement.definition),
                requirements_sha256=judgement.requirements.sha256,
                requirements_source=judgement.requirements.source,
            )


def _refused(why: Statement, *, missing: bool = False) -> bytes:
    return _encoded(BranchRefused(refused=str(why), refused_message=why.message, missing=missing))


def _encoded(answer: object) -> bytes:
    return msgspec.json.encode(answer)
