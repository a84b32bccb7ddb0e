"""What git_sync does when a run asks: store the version of a pipeline at one commit."""

from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.commands import MissVersion, StoreVersion
from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.errors import InfrastructureError
from fastflow_events.message import Statement
from fastflow_events.recorded import Recorded
from fastflow_rules import folder as discovery

from fastflow_git_sync.commits import keep
from fastflow_git_sync.core.faults import InvalidThere, NoPipelineThere, NotWatched
from fastflow_git_sync.deps import Deps
from fastflow_git_sync.inspection import judge, rules_at, store
from fastflow_git_sync.ports import CommitMissingError, GitError
from fastflow_git_sync.recording import record
from fastflow_git_sync.searches import Wanted

RETRY_FOR_S = 180.0
"""How long a run waits for a repository that does not answer before it is told that its code is missing."""


async def store_version(deps: Deps, recorded: Recorded, request: RunRequested) -> None:
    """Store the version a run asks for, or say why there is none. Safe to repeat.

    Raises:
        InfrastructureError: the repository, the log or the object store did not answer; the fact will come again.
    """
    commit, pipeline = request.commit, request.pipeline
    if commit is None:
        return
    # What is believed to be stored may have expired a moment before the run was asked for.
    await deps.pipelines.reached(await deps.log.last_seq(subjects.of_aggregate("pipeline", pipeline)))
    known = await deps.pipelines.known(pipeline, commit=commit, tree=None)
    repository = known.state.repository
    key = Wanted(repository, pipeline, commit)
    if commit in known.state.versions or not repository:
        deps.searches.forget(key)
        return
    try:
        found = await deps.searches.result(key, lambda: _find_version(deps, *key))
    except GitError as exc:
        if not isinstance(exc, CommitMissingError) and (deps.clock() - recorded.at).total_seconds() < RETRY_FOR_S:
            raise InfrastructureError(exc.statement, pipeline=pipeline, commit=commit) from exc
        deps.searches.forget(key)
        found = exc.statement
    cause = recorded.because()
    if isinstance(found, PipelineVersionStored):
        await record(deps.log, pipeline_decider, known, StoreVersion(version=found), cause=cause)
    else:
        missing = MissVersion(repository=repository, commit=commit, reason=found)
        await record(deps.log, pipeline_decider, known, missing, cause=cause)


async def _find_version(deps: Deps, repository: str, pipeline: str, commit: str) -> PipelineVersionStored | Statement:
    """Return the version, stored, or the reason why the commit has none."""
    repo = deps.here.get(repository)
    if repo is None:
        raise GitError(NotWatched(repository))
    source = repo.source
    await source.require(commit)
    folder = next((f for f in await source.folders(commit) if f.name == pipeline), None)
    if folder is None:
        return NoPipelineThere(commit)
    rules = await rules_at(source, commit)
    if isinstance(rules, Statement):
        return rules
    await source.complete([folder])
    await keep(deps.commits, repo, [commit])
    judgement = await judge(source, folder, rules.file)
    if judgement is None:
        return NoPipelineThere(commit)
    if isinstance(judgement, discovery.Invalid):
        return InvalidThere(commit, judgement.reasons)
    known = await deps.pipelines.known(pipeline, commit=commit, tree=folder.tree)
    return await store(deps.bundles, repo, commit, judgement, known.state)
