"""Where the folders of pipelines are shown by their Git hosts."""

from collections.abc import Callable

from fastflow_gateway.core.git_hosts import folder_url
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.ports import ReadModel


async def pages_of(rows: ReadModel) -> Callable[[PipelineRow], str | None]:
    """The page of a pipeline's folder at its commit; None where none is known. One question for all pipelines."""
    watched = {repository.name: repository for repository in await rows.repositories()}

    def page(row: PipelineRow) -> str | None:
        repository = watched.get(row.repository)
        return folder_url(repository.url, row.commit_sha, repository.subfolder, row.name) if repository else None

    return page
