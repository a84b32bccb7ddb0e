"""Watched repositories with what Git says of their heads."""

from collections.abc import Sequence

from fastflow_gateway.core.responses.repositories import RepositoryResponse, show_repository
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.commits import shown_commits


async def shown_repositories(deps: Deps, rows: Sequence[RepositoryRow]) -> list[RepositoryResponse]:
    """The rows as they are shown, in their order."""
    heads = await shown_commits(deps, (row.commit_sha for row in rows))
    return [show_repository(row, heads.of(row.commit_sha)) for row in rows]
