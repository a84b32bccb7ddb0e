"""Keep what people are shown of commits; who reads Git for something else is never held up by it."""

import logging
from collections.abc import Collection

from fastflow_events.errors import InfrastructureError
from msgspec.structs import replace

from fastflow_git_sync.deps import Deps, Repo
from fastflow_git_sync.ports import Commits, GitError

logger = logging.getLogger(__name__)


async def keep(kept: Commits, repo: Repo, commits: Collection[str]) -> None:
    """Keep what Git says of the commits, where that is not kept yet; what fails is tried at the next reading."""
    try:
        new = {*commits} - repo.kept.commits
        for commit in sorted(await kept.missing(new)) if new else ():
            await _keep_one(kept, repo, commit)
        repo.kept.commits.update(new)
    except InfrastructureError as exc:
        logger.warning("not kept: %s", exc, extra={"action": "commits_not_kept", "repository": repo.name})


async def mend(deps: Deps, repo: Repo, head: str) -> None:
    """Keep it of all commits that the log knows, once in each process, and again when the bucket was lost."""
    try:
        if repo.kept.is_whole and not await deps.commits.missing([head]):
            return
        repo.kept.commits.clear()
        await keep(deps.commits, repo, {head, *await deps.pipelines.commits(repo.name)})
        repo.kept.is_whole = head in repo.kept.commits
    except InfrastructureError as exc:
        logger.warning("not kept: %s", exc, extra={"action": "commits_not_kept", "repository": repo.name})


async def _keep_one(kept: Commits, repo: Repo, commit: str) -> None:
    try:
        about = await repo.source.about(commit)
    except GitError:
        return  # gone with its history; its id is all that is left
    await kept.keep(commit, replace(about, repository=repo.name))
