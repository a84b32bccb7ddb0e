"""`/api/runs/{id}/logs/search` and `/api/runs/{id}/logs/summary`: what is in a run's output, and where."""

from typing import Annotated

from fastflow_events.errors import NotFoundError
from fastflow_events.output import StreamName
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct

from fastflow_gateway.core.log_marks import AttemptMarks
from fastflow_gateway.core.log_search import Expression, Match
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import log_search, log_summary
from fastflow_gateway.http.raises import raises

Query = Annotated[str, QueryParameter(min_length=1, max_length=1000)]
Context = Annotated[int, QueryParameter(ge=0, le=10)]
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
Attempt = Annotated[int | None, QueryParameter(ge=1, le=999_999_999)]


class MatchPage(Struct, frozen=True, kw_only=True):
    """Lines that match, in their order."""

    items: list[Match]
    next: str | None
    """Give it as `cursor` to search on, even when nothing was found so far; null when all is searched."""
    scanned: float
    """Share of the lines that has been searched, from 0 to 1."""
    matches: int
    """Lines found so far, on earlier pages too."""
    stopped: bool
    """True when the search was given up at 10 000 lines."""


class LogSummary(Struct, frozen=True, kw_only=True):
    """A run's output at a glance."""

    attempts: list[AttemptMarks]
    complete: bool
    """False when a long output was not read to its end yet: ask again, and it goes on."""
    scanned: float
    """Share of the lines that has been read, from 0 to 1."""


class LogSearchController(Controller):
    """Find something in what runs wrote."""

    path = "/api/runs/{run_id:str}/logs"
    tags = ("logs",)

    @get("/search", opt=raises(NotFoundError))
    async def search(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        q: Query,
        regex: FromQuery[bool] = False,
        case: FromQuery[bool] = False,
        stream: FromQuery[StreamName | None] = None,
        attempt: Attempt = None,
        context: Context = 0,
        cursor: FromQuery[str | None] = None,
        limit: Limit = 200,
    ) -> MatchPage:
        """Lines with `q` in them, or that match it as a regular expression of RE2, line by line.

        One question searches a part of a long output; `next` goes on, and `scanned` says how far it is.
        """
        wanted = log_search.Wanted(Expression(q, regex=regex, case=case), stream, attempt, context, limit)
        since = None if cursor is None else log_search.progress_of(cursor)
        found = await log_search.search_log(deps, run_id, wanted, since)
        return MatchPage(
            items=found.matches,
            next=str(found.progress) if found.more else None,
            scanned=found.scanned,
            matches=found.progress.matches,
            stopped=found.stopped,
        )

    @get("/summary", opt=raises(NotFoundError))
    async def summary(self, run_id: FromPath[str], deps: NamedDependency[Deps]) -> LogSummary:
        """Per attempt how much it wrote and what stands out in it: errors, tracebacks, stderr, gaps, cells."""
        found = await log_summary.summary_of_log(deps, run_id)
        return LogSummary(attempts=found.attempts, complete=found.complete, scanned=found.scanned)
