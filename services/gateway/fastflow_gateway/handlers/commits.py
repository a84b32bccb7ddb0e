"""What people are shown of the commits in an answer: one question for all of them, and never a reason to fail."""

from collections.abc import Iterable, Mapping

from fastflow_gateway.core.commits import UNKNOWN, ShownCommit, shown
from fastflow_gateway.deps import Deps


class Shown:
    """The commits of an answer, by their ids."""

    def __init__(self, known: Mapping[str, ShownCommit]) -> None:
        self._known = known

    def of(self, commit: str | None) -> ShownCommit:
        """The commit; one of which nothing is known is empty."""
        return self._known.get(commit, UNKNOWN) if commit else UNKNOWN


async def shown_commits(deps: Deps, commits: Iterable[str | None]) -> Shown:
    """Subject, author, time and page of each of the commits."""
    wanted = {commit for commit in commits if commit}
    if not wanted:
        return Shown({})
    abouts = await deps.commits.about(wanted)
    urls = {row.name: row.url for row in await deps.rows.repositories()} if abouts else {}
    return Shown({commit: shown(commit, abouts.get(commit), urls) for commit in wanted})
