"""The same done with many runs: each by itself, checked against its own history, and safe to ask again.

There is no job: every run is an aggregate of its own, so a request that was cut off is sent again, and what was done
before is `already` so. A repeat of a run has an id that follows from the key of the request, for the same reason.
"""

from collections.abc import Callable
from typing import NamedTuple

from fastflow_events.aggregates.run.commands import PrioritiseRun, RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.errors import ConcurrencyError, ContractError, DomainError
from fastflow_events.execute import retry_on_conflict
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause
from fastflow_events.service.for_each import for_each

from fastflow_gateway.core.bulk_request import MOST_LIKE, BulkBody
from fastflow_gateway.core.errors import InvalidFieldError, no_such_run
from fastflow_gateway.core.rerun_faults import TooManyLike
from fastflow_gateway.core.rerun_request import RerunBody
from fastflow_gateway.core.responses.bulk import BulkItem, BulkResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.rerun import could_rerun, rerun
from fastflow_gateway.ports import ReadModel

AT_ONCE = 16


async def act(
    deps: Deps, asked: BulkBody, *, new_id: Callable[[str], str], repeated: bool, who: str, cause: Cause
) -> BulkResponse:
    """Do it with every run, or say what would become of each.

    `new_id` names the run that repeats another one; `repeated` says that the same may be asked for twice.

    Raises:
        InvalidFieldError: the filter finds more than is taken.
        InfrastructureError: the log does not answer, or is full; what was done is done, and asking again goes on.
    """
    meant = await _meant(deps.rows, asked)
    ids = meant.ids
    items: dict[str, BulkItem] = {}

    async def one(run_id: str) -> None:
        try:
            if asked.action == "rerun":
                id = new_id(run_id)
                items[run_id] = await _rerun(deps, run_id, asked, id, repeated=repeated, who=who, cause=cause)
            else:
                items[run_id] = await _steer(deps.log, run_id, asked, who=who, cause=cause)
        except (DomainError, ContractError, ConcurrencyError) as exc:
            reason = exc.statement
            items[run_id] = BulkItem(id=run_id, outcome="refused", reason=str(reason), reason_message=reason.message)

    await for_each(ids, one, at_once=AT_ONCE)
    outcomes = [items[run_id].outcome for run_id in ids]
    return BulkResponse(
        action=asked.action,
        dry_run=asked.dry_run,
        done=outcomes.count("done"),
        already=outcomes.count("already"),
        refused=outcomes.count("refused"),
        items=[items[run_id] for run_id in ids],
        matched=meant.matched,
        matched_is_exact=meant.is_exact,
        next=meant.next,
    )


class _Meant(NamedTuple):
    """The runs of one request."""

    ids: list[str]
    matched: int
    is_exact: bool = True
    next: str | None = None


async def _meant(rows: ReadModel, asked: BulkBody) -> _Meant:
    if asked.filter is None:
        ids = list(dict.fromkeys(asked.ids or ()))
        return _Meant(ids, len(ids))
    wanted = asked.filter.as_filter()
    count = await rows.run_counts(wanted)
    matched = sum(count.counts.values())
    if matched > MOST_LIKE:
        raise InvalidFieldError(TooManyLike(matched, MOST_LIKE), "/filter")
    after = int(asked.cursor) if asked.cursor is not None else None
    found = await rows.runs(wanted, after=after, limit=asked.limit + 1)
    page = found[: asked.limit]
    following = str(page[-1].requested_seq) if len(found) > len(page) else None
    return _Meant([row.id for row in page], matched, count.is_exact, following)


async def _steer(log: EventLog, run_id: str, asked: BulkBody, *, who: str, cause: Cause) -> BulkItem:
    """Cancel or move a run; nothing to append is `already`."""
    command = (
        PrioritiseRun(priority=asked.priority or 0, who=who)
        if asked.action == "prioritise"
        else RequestCancel(who=who, why=asked.why)
    )

    async def attempt() -> bool:
        history = await log.load("run", run_id)
        if not history.recorded:
            raise no_such_run(run_id)
        facts = run_decider.decide(command, run_decider.fold(history.facts))
        if facts and not asked.dry_run:
            await log.append(history.position, facts, cause=cause)
        return bool(facts)

    return BulkItem(id=run_id, outcome="done" if await retry_on_conflict(attempt) else "already")


async def _rerun(
    deps: Deps, run_id: str, asked: BulkBody, new_id: str, *, repeated: bool, who: str, cause: Cause
) -> BulkItem:
    changes = RerunBody(same_commit=asked.same_commit, priority=asked.priority)
    if asked.dry_run:
        await could_rerun(deps, run_id, changes)
        return BulkItem(id=run_id, outcome="done")
    was_there = repeated and bool((await deps.log.load("run", new_id)).recorded)
    accepted = await rerun(deps, run_id, changes, new_id=new_id, who=who, cause=cause, repeated=repeated)
    return BulkItem(id=run_id, outcome="already" if was_there else "done", new_run=accepted.id)
