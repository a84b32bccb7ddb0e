"""`/api/runs/{id}`: look at one run, end it, run it once more."""

from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.recorded import Cause
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from fastflow_gateway.core.overview import usual
from fastflow_gateway.core.responses.facts import FactResponse, show_fact
from fastflow_gateway.core.responses.runs import RunResponse, show_run
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import runs
from fastflow_gateway.handlers.commits import shown_commits
from fastflow_gateway.handlers.runs import Accepted
from fastflow_gateway.handlers.unreachable import out_of_reach
from fastflow_gateway.handlers.waiting_for import waiting_for
from fastflow_gateway.http.raises import raises


class FactList(Struct, frozen=True, kw_only=True):
    """Facts, oldest first."""

    items: list[FactResponse]
    next: str | None = None


class RunController(Controller):
    """Look at a run, and end it."""

    path = "/api/runs"
    tags = ("runs",)

    @get("/{run_id:str}", opt=raises(NotFoundError))
    async def show(self, run_id: FromPath[str], then: NamedDependency[Deps]) -> RunResponse:
        """One run."""
        row = await runs.find_run(then, run_id)
        waits, followers = await waiting_for(then, [row]), await then.rows.followers(row)
        lost, story = await out_of_reach(then.heartbeats, [row]), await runs.story_of_run(then.log, row.id)
        return show_run(
            row,
            untrusted=then.log.doubts.reason("run", row.id),
            waits=waits.get(row.id),
            downstream=followers,
            story=story,
            reruns=await then.rows.reruns(row.id),
            usual=usual(sorted(await then.rows.durations_before(row))),
            unreachable=bool(lost),
            commit=(await shown_commits(then, [row.commit_sha])).of(row.commit_sha),
        )

    @post("/{run_id:str}/cancel", status_code=202, opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def cancel(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        why: FromQuery[str] = "",
    ) -> Accepted:
        """Ask for the run's end; it stops for good, without retries."""
        return await runs.cancel_run(deps.log, run_id, who=who, why=why[:500], cause=cause)

    @get("/{run_id:str}/facts", opt=raises(NotFoundError))
    async def facts(self, run_id: FromPath[str], deps: NamedDependency[Deps]) -> FactList:
        """Everything that happened to the run."""
        return FactList(
            items=[show_fact(recorded) for recorded in (await runs.history_of_run(deps.log, run_id)).recorded]
        )
