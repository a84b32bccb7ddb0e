"""What git_sync does on its own: bring the log up to date with the head of its repository."""

import logging

from fastflow_events.errors import ContractError
from fastflow_events.pipeline.commands import FindInvalid, FindPipeline, LosePipeline
from fastflow_events.pipeline.decider import ForeignPipelineError, Pipeline, pipeline_decider
from fastflow_events.recorded import Cause
from fastflow_events.repository.commands import CompleteSync, ConfigureRepository, FailSync, RepositoryCommand
from fastflow_events.repository.decider import repository_decider
from fastflow_rules import folder as discovery
from fastflow_rules.folder import Folder

from fastflow_git_sync.deps import Deps
from fastflow_git_sync.inspection import judge, store
from fastflow_git_sync.ports import GitError
from fastflow_git_sync.recording import record

logger = logging.getLogger(__name__)


async def configure(deps: Deps, cause: Cause) -> None:
    """Say what is watched, when that is news."""
    await _record_repository(deps, ConfigureRepository(configured=deps.configured), cause)


async def sync(deps: Deps, cause: Cause) -> None:
    """Read the head and say everything about it that is news. Safe to repeat.

    Raises:
        InfrastructureError: the log or the object store failed; nothing is lost by trying again.
    """
    known = (await deps.repositories.known(deps.repository)).state
    try:
        head = await deps.source.fetch(known.commit)
        verdicts = await _look_at_head(deps, head.commit, cause)
    except GitError as exc:
        logger.warning("not synced: %s", exc, extra={"action": "sync_failed"})
        await _record_repository(deps, FailSync(reason=str(exc), requests=known.requests), cause)
        return
    command = CompleteSync(
        commit=head.commit,
        rewritten=head.rewritten,
        pipelines=verdicts.count("runnable") + verdicts.count("invalid"),
        invalid=verdicts.count("invalid"),
        requests=known.requests,
    )
    if await _record_repository(deps, command, cause):
        logger.info("synced", extra={"action": "synced", "commit": head.commit, "pipelines": command.pipelines})


async def _look_at_head(deps: Deps, commit: str, cause: Cause) -> list[str]:
    """Say what became of each folder and what is gone; returns the verdicts."""
    folders = [folder for folder in await deps.source.folders(commit) if discovery.is_name(folder.name)]
    present = await deps.pipelines.present(deps.repository)
    verdicts = {
        folder.name: await _look_at(deps, commit, folder, present.get(folder.name), cause) for folder in folders
    }
    for name in sorted(present):
        if verdicts.get(name, "none") == "none":
            known = await deps.pipelines.known(name, commit=commit, tree=None)
            lose = LosePipeline(repository=deps.repository, commit=commit)
            await record(deps.log, pipeline_decider, known, lose, cause=cause)
    for name in deps.judged.keys() - verdicts.keys():
        del deps.judged[name]
    return list(verdicts.values())


async def _look_at(deps: Deps, commit: str, folder: Folder, known: Pipeline | None, cause: Cause) -> str:
    """Judge a folder and say it; one that was judged before, and of which the log says the same, is not read again."""
    tree, verdict = deps.judged.get(folder.name, ("", ""))
    said = (known.tree, known.phase) if known else (folder.tree, "none")
    if tree == folder.tree and said == (tree, verdict):
        return verdict
    judgement = await judge(deps.source, folder)
    if judgement is None:
        verdict = "none"
    else:
        try:
            verdict = await _say(deps, commit, judgement, cause)
        except (ForeignPipelineError, ContractError) as exc:  # its own trouble; the others go on
            logger.warning("passed over: %s", exc, extra={"action": "pipeline_skipped", "pipeline": folder.name})
            return "skipped"
    deps.judged[folder.name] = (folder.tree, verdict)
    return verdict


async def _say(deps: Deps, commit: str, judgement: discovery.Judged, cause: Cause) -> str:
    folder = judgement.folder
    known = await deps.pipelines.known(folder.name, commit=commit, tree=folder.tree)
    if isinstance(judgement, discovery.Invalid):
        found = FindInvalid(repository=deps.repository, commit=commit, tree=folder.tree, errors=judgement.errors)
        await record(deps.log, pipeline_decider, known, found, cause=cause)
        return "invalid"
    version = await store(deps, commit, judgement)
    await record(deps.log, pipeline_decider, known, FindPipeline(version=version), cause=cause)
    return "runnable"


async def _record_repository(deps: Deps, command: RepositoryCommand, cause: Cause) -> bool:
    """True when it was news."""
    known = await deps.repositories.known(deps.repository)
    return bool(await record(deps.log, repository_decider, known, command, cause=cause))
