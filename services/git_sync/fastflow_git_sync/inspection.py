"""Read what a folder needs to be judged, and store what was judged well."""

from functools import partial

from fastflow_events.aggregates.pipeline.decider import Pipeline
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.message import Statement
from fastflow_rules import folder as discovery
from fastflow_rules.definition import MAX_BYTES, RepositoryFile, parse_repository, to_fact
from fastflow_rules.definition.repository import NAME
from fastflow_rules.folder import Folder
from fastflow_rules.folder.reasons import LongFile
from msgspec import Struct

from fastflow_git_sync.core.faults import RulesUnusable
from fastflow_git_sync.deps import Repo
from fastflow_git_sync.ports import Bundles, Copy, Source, TooLargeError


class Rules(Struct, frozen=True):
    """What holds for every pipeline at a commit."""

    oid: str = ""
    """Id of `fastflow.json`; empty without one."""
    file: RepositoryFile | None = None


async def rules_at(source: Source, commit: str) -> Rules | Statement:
    """Return what `fastflow.json` says at a commit, or why it cannot be used.

    Raises:
        GitError: our copy of the repository cannot be read.
    """
    entry = await source.file(commit, NAME)
    if entry is None:
        return Rules()
    if entry.size > MAX_BYTES:
        return LongFile(NAME, entry.size, MAX_BYTES)
    found = parse_repository(await source.look(lambda copy: copy.read([entry])[NAME]))
    if isinstance(found, RepositoryFile):
        return Rules(entry.oid, found)
    return RulesUnusable(NAME, tuple(problem.statement for problem in found[:5]))


async def judge(source: Source, folder: Folder, file: RepositoryFile | None) -> discovery.Judged | None:
    """Return what the folder is; None when it is no pipeline at all.

    Raises:
        GitError: our copy of the repository cannot be read.
    """
    return await source.look(partial(_judged, folder, file))


def _judged(folder: Folder, file: RepositoryFile | None, copy: Copy) -> discovery.Judged | None:
    try:
        entries = copy.entries(folder.tree, discovery.is_pipeline)
    except TooLargeError as exc:
        return discovery.invalid(folder, [exc.statement])
    if not entries:
        return None
    contents: dict[str, bytes] = {}
    while missing := discovery.wanted(folder, entries, contents):
        contents |= copy.read(missing)
    return discovery.inspect(folder, entries, contents, file)


async def store(
    bundles: Bundles, repo: Repo, commit: str, runnable: discovery.Runnable, known: Pipeline, *, branch: str = ""
) -> PipelineVersionStored:
    """Make sure the bundle is stored and return the fact that says so.

    A bundle that is there while no fact says that it is needed may be about to be deleted: that is stopped.

    Raises:
        GitError: our copy of the repository cannot be read.
        InfrastructureError: the object store did not take it.
    """
    tree = runnable.folder.tree
    unseen = tree in repo.unseen
    repo.unseen.discard(tree)
    stored = None if unseen else await bundles.find(tree)
    if stored is not None and tree not in known.versions.values():
        stored = await bundles.keep(stored)
    if stored is None:
        async with repo.source.archive(tree) as file:
            stored = await bundles.store(tree, file, unseen=unseen)
    return PipelineVersionStored(
        repository=repo.name,
        commit=commit,
        tree=tree,
        definition=to_fact(runnable.definition),
        requirements=runnable.requirements,
        branch=branch,
        bundle_sha256=stored.sha256,
        bundle_bytes=stored.size_bytes,
    )
