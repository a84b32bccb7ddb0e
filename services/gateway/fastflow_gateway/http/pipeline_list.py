"""`GET /api/pipelines`."""

from typing import Annotated, get_args

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import NoSuchInclude
from fastflow_gateway.core.responses.pipelines import PipelineResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipeline_list import Include, PipelineFilter, Sort, Wanted, page_of_pipelines
from fastflow_gateway.handlers.pipelines import tags_of
from fastflow_gateway.http.raises import raises

INCLUDES: tuple[Include, ...] = get_args(Include)
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
Several = Annotated[list[str] | None, QueryParameter(description="Several may be named.")]
Statuses = Annotated[list[Wanted] | None, QueryParameter(description="One of those that are named.")]
Text = Annotated[str, QueryParameter(max_length=200)]
Includes = Annotated[str, QueryParameter(description="`stats`, `last` and `next`, separated by commas.")]


class PipelinePage(Struct, frozen=True, kw_only=True):
    """Pipelines in the order that was asked for."""

    items: list[PipelineResponse]
    next: str | None
    """Give it as `cursor` to go on; null at the end."""


class PipelineListController(Controller):
    """Look for pipelines."""

    path = "/api/pipelines"
    tags = ("pipelines",)

    @get(opt=raises())
    async def list(
        self,
        *,
        then: NamedDependency[Deps],
        cursor: FromQuery[str] = "",
        limit: Limit = 1000,
        tags: FromQuery[str] = "",
        tag: Several = None,
        q: Text = "",
        repository: Several = None,
        status: Statuses = None,
        sort: FromQuery[Sort] = "name",
        include: Includes = "",
    ) -> PipelinePage:
        """What is at the heads of the watched repositories; invalid ones too, with the reasons.

        `tag` leaves those that have all of these tags, `tags=etl,daily` those that have at least one; capitals do not
        matter. `q` looks into names, tags and descriptions. `include` adds what their runs add up to, the last ten
        runs, and the next fire.
        """
        wanted = PipelineFilter(
            q=q,
            repositories=tuple(repository or ()),
            statuses=tuple(status or ()),
            tags=tuple(tag or ()),
            some_tags=tags_of(tags),
        )
        items, following = await page_of_pipelines(
            then, wanted, _includes(include), sort=sort, cursor=cursor, limit=limit
        )
        return PipelinePage(items=items, next=following)


def _includes(text: str) -> set[Include]:
    """What shall be added.

    Raises:
        InvalidParameterError: it cannot be.
    """
    words = {word.strip() for word in text.split(",") if word.strip()}
    found: set[Include] = {each for each in INCLUDES if each in words}
    if len(found) != len(words):
        raise InvalidParameterError(NoSuchInclude(tuple(sorted(INCLUDES))), parameter="include", given=text[:40])
    return found
