"""Read what a folder needs to be judged, and store what was judged well."""

from fastflow_events.pipeline.events import PipelineVersionStored
from fastflow_rules import folder as discovery
from fastflow_rules.definition import to_fact
from fastflow_rules.folder import Folder

from fastflow_git_sync.deps import Deps
from fastflow_git_sync.ports import Source, TooLargeError


async def judge(source: Source, folder: Folder) -> discovery.Judged | None:
    """Return what the folder is; None when it is no pipeline at all.

    Raises:
        GitError: our copy of the repository cannot be read.
    """
    try:
        if not discovery.is_pipeline(await source.names(folder.tree)):
            return None
        entries = await source.entries(folder.tree)
    except TooLargeError as exc:
        return discovery.invalid(folder, [str(exc)])
    contents: dict[str, bytes] = {}
    while missing := discovery.wanted(folder, entries, contents):
        contents |= await source.read(missing)
    return discovery.inspect(folder, entries, contents)


async def store(deps: Deps, commit: str, runnable: discovery.Runnable) -> PipelineVersionStored:
    """Make sure the bundle is stored and return the fact that says so.

    Raises:
        GitError: our copy of the repository cannot be read.
        InfrastructureError: the object store did not take it.
    """
    tree = runnable.folder.tree
    stored = await deps.bundles.find(tree)
    if stored is None:
        async with deps.source.archive(await deps.source.entries(tree)) as file:
            stored = await deps.bundles.store(tree, file)
    return PipelineVersionStored(
        repository=deps.repository,
        commit=commit,
        tree=tree,
        definition=to_fact(runnable.definition),
        requirements=runnable.requirements,
        bundle_sha256=stored.sha256,
        bundle_bytes=stored.size_bytes,
    )
