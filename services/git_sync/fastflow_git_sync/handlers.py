"""What git_sync does on its own: bring the log up to date with the head of a repository."""

import logging

from fastflow_events.aggregates.pipeline.commands import FindInvalid, FindPipeline, LosePipeline
from fastflow_events.aggregates.pipeline.decider import Pipeline, pipeline_decider
from fastflow_events.aggregates.repository.commands import CompleteSync, FailSync
from fastflow_events.errors import ContractError, InfrastructureError, UntrustedError
from fastflow_events.message import Statement, Verbatim
from fastflow_events.recorded import Cause
from fastflow_events.service.for_each import for_each
from fastflow_rules import folder as discovery
from fastflow_rules.folder import Folder
from msgspec import Struct

from fastflow_git_sync.commits import keep, mend
from fastflow_git_sync.core.faults import CommitLost
from fastflow_git_sync.deps import Deps, Repo
from fastflow_git_sync.inspection import Rules, judge, rules_at, store
from fastflow_git_sync.ports import GitError
from fastflow_git_sync.recording import record, record_repository

logger = logging.getLogger(__name__)

AT_ONCE = 16
"""Folders looked at side by side: Git does one thing at a time, the log and the object store do more."""
REASON_CHARS = 4000
"""Of what Git, or whoever else, says; it has to fit into a fact."""
REMARKS = 20
"""Kept of one sync; a fact has room for little."""


class _At(Struct, frozen=True):
    """What is being looked at."""

    commit: str
    rules: Rules
    cause: Cause


async def sync(deps: Deps, repo: Repo, cause: Cause) -> bool:
    """Read the head and say everything about it that is news; True when it could be read. Safe to repeat.

    Raises:
        InfrastructureError: the log failed; nothing is lost by trying again.
    """
    known = (await deps.repositories.known(repo.name)).state
    try:
        head = await repo.source.fetch(known.commit)
        await keep(deps.commits, repo, [head.commit])
        verdicts, remarks = await _look_at_head(deps, repo, head.commit, cause)
    except (GitError, InfrastructureError) as exc:  # where the log itself is away, nor can that be said
        await fail(deps, repo.name, exc.statement, cause, requests=known.requests)
        return False
    lost = tuple(CommitLost(commit) for commit in head.lost)
    command = CompleteSync(
        configured=repo.configured,
        commit=head.commit,
        rewritten=head.rewritten,
        branch=repo.configured.branch,
        pipelines=sum(verdict in ("runnable", "invalid", "clash") for verdict in verdicts),
        invalid=sum(verdict in ("invalid", "clash") for verdict in verdicts),
        remarks=(*lost, *remarks)[:REMARKS],
        told_anyway=bool(lost),
        requests=known.requests,
    )
    if await record_repository(deps, repo.name, command, cause):
        logger.info(
            "synced",
            extra={
                "action": "synced",
                "repository": repo.name,
                "commit": head.commit,
                "pipelines": command.pipelines,
            },
        )
    await mend(deps, repo, head.commit)
    return True


async def fail(deps: Deps, repository: str, reason: Statement, cause: Cause, *, requests: int) -> None:
    """Say why the head could not be read; what was good before stays."""
    reason = reason if len(str(reason)) <= REASON_CHARS else Verbatim(str(reason))
    logger.warning("not synced: %s", reason, extra={"action": "sync_failed", "repository": repository})
    await record_repository(deps, repository, FailSync(reason=reason, requests=requests), cause)


async def forget(deps: Deps, repository: str, cause: Cause) -> None:
    """Say of every pipeline of a repository that is not watched any more that it is gone. Safe to repeat."""
    for name, known in (await deps.pipelines.present(repository)).items():
        await _lose(deps, repository, name, known.commit, cause)
    for name in sorted(await deps.pipelines.claimed(repository)):
        known = (await deps.pipelines.known(name, commit="", tree=None)).state
        await _lose(deps, repository, name, known.commit, cause)


async def _look_at_head(deps: Deps, repo: Repo, commit: str, cause: Cause) -> tuple[list[str], tuple[Statement, ...]]:
    """Say what became of each folder and what is gone; returns the verdicts, and remarks on what was passed over."""
    rules = await rules_at(repo.source, commit)
    if not isinstance(rules, Rules):
        raise GitError(rules)
    everything = await repo.source.folders(commit)
    folders = [folder for folder in everything if discovery.is_name(folder.name)]
    remarks = tuple(discovery.no_name(folder.name) for folder in everything if not discovery.is_name(folder.name))
    present = await deps.pipelines.present(repo.name)
    verdicts = {folder.name: _still(repo, folder, rules, present.get(folder.name)) for folder in folders}
    changed = [folder for folder in folders if verdicts[folder.name] is None]
    await repo.source.complete(changed)

    if len(changed) > AT_ONCE:
        repo.unseen.update(await deps.bundles.unseen({folder.tree for folder in changed}))
    at = _At(commit, rules, cause)

    async def look(folder: Folder) -> None:
        verdicts[folder.name] = await _look_at(deps, repo, at, folder)

    await for_each(changed, look, at_once=AT_ONCE)
    mine = {*present, *await deps.pipelines.claimed(repo.name)}
    for name in sorted(mine):
        if verdicts.get(name) in (None, "none"):
            await _lose(deps, repo.name, name, commit, cause)
    for name in repo.judged.keys() - verdicts.keys():
        del repo.judged[name]
    return [verdict for verdict in verdicts.values() if verdict is not None], remarks


def _still(repo: Repo, folder: Folder, rules: Rules, known: Pipeline | None) -> str | None:
    """The verdict on a folder that was judged before and of which the log says the same; None: it has to be read."""
    judged, verdict = repo.judged.get(folder.name, ("", ""))
    recorded = (known.tree, known.phase) if known else (folder.tree, "none")
    return verdict if judged == f"{folder.tree} {rules.oid}" and recorded == (folder.tree, verdict) else None


async def _look_at(deps: Deps, repo: Repo, at: _At, folder: Folder) -> str:
    """Judge a folder and say it."""
    judgement = await judge(repo.source, folder, at.rules.file)
    if judgement is None:
        verdict = "none"
    else:
        try:
            verdict = await _say(deps, repo, at, judgement)
        except (ContractError, UntrustedError) as exc:  # its own trouble; the others go on
            logger.warning("passed over: %s", exc, extra={"action": "pipeline_skipped", "pipeline": folder.name})
            return "skipped"
    repo.judged[folder.name] = (f"{folder.tree} {at.rules.oid}", verdict)
    return verdict


async def _say(deps: Deps, repo: Repo, at: _At, judgement: discovery.Judged) -> str:
    folder, commit, cause = judgement.folder, at.commit, at.cause
    known = await deps.pipelines.known(folder.name, commit=commit, tree=folder.tree)
    state = known.state
    clash = (state.phase != "absent" and state.repository != repo.name) or bool({*state.rivals} - {repo.name})
    if clash or isinstance(judgement, discovery.Invalid):
        reasons = judgement.reasons if isinstance(judgement, discovery.Invalid) else ()
        found = FindInvalid(repository=repo.name, commit=commit, tree=folder.tree, reasons=reasons)
        await record(deps.log, pipeline_decider, known, found, cause=cause)
        return "clash" if clash else "invalid"
    version = await store(deps.bundles, repo, commit, judgement, known.state, branch=repo.configured.branch)
    await record(deps.log, pipeline_decider, known, FindPipeline(version=version), cause=cause)
    return "runnable"


async def _lose(deps: Deps, repository: str, name: str, commit: str, cause: Cause) -> None:
    """Say that a folder is gone; whoever else has one of this name is read again."""
    known = await deps.pipelines.known(name, commit=commit, tree=None)
    lose = LosePipeline(repository=repository, commit=commit)
    try:
        recorded = await record(deps.log, pipeline_decider, known, lose, cause=cause)
    except UntrustedError as exc:  # its own trouble; the others go on
        logger.warning("passed over: %s", exc, extra={"action": "pipeline_skipped", "pipeline": name})
        return
    if recorded:
        for other in {known.state.repository, *known.state.rivals} - {repository}:
            deps.bells.ring(other, recorded[-1])
