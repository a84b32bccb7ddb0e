"""What a question about runs says, read strictly."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar, get_args

from fastflow_events.types import Outcome, TriggerKind
from litestar.params import FromQuery, QueryParameter

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.run_faults import NoCommitPrefix, NotOneOf, TooLongValue, TooManyValues
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.run_row import RunStatus
from fastflow_gateway.http.cursors import Instant, instant_of

MOST_VALUES = 200
LONGEST = 500
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
Many = FromQuery[Sequence[str] | None]
Seconds = Annotated[float | None, QueryParameter(ge=0, le=1e9)]
W = TypeVar("W", bound=str)


async def provide_run_filter(
    *,
    pipeline: Many = None,
    status: Many = None,
    outcome: Many = None,
    trigger: Many = None,
    tag: Many = None,
    repository: Many = None,
    commit: Many = None,
    schedule: Many = None,
    backfill: Many = None,
    asked_by: Annotated[Sequence[str] | None, QueryParameter(name="who")] = None,
    runner: Many = None,
    branch: Many = None,
    since: Instant = None,
    until: Instant = None,
    longer_than_s: Seconds = None,
    is_open: Annotated[bool | None, QueryParameter(name="open")] = None,
    q: FromQuery[str] = "",
) -> RunFilter:
    """Which runs are wanted; every list may be given several times, and of its values a run has one."""
    if longer_than_s is not None and not math.isfinite(longer_than_s):
        longer_than_s = None
    return RunFilter(
        pipelines=_texts("pipeline", pipeline),
        statuses=_words("status", status, get_args(RunStatus)),
        outcomes=_words("outcome", outcome, get_args(Outcome)),
        triggers=_words("trigger", trigger, get_args(TriggerKind)),
        tags=_texts("tag", tag),
        repositories=_texts("repository", repository),
        commits=tuple(_commits(_texts("commit", commit))),
        schedules=_texts("schedule", schedule),
        backfills=_texts("backfill", backfill),
        who=_texts("who", asked_by),
        runners=_texts("runner", runner),
        branches=_texts("branch", branch),
        since=instant_of("since", since),
        until=instant_of("until", until),
        longer_than_s=longer_than_s,
        is_open=is_open,
        q=_texts("q", [q])[0],
    )


def _texts(name: str, given: Sequence[str] | None) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(given or ()))
    if len(found) > MOST_VALUES:
        raise InvalidParameterError(TooManyValues(MOST_VALUES), parameter=name)
    if any(len(text) > LONGEST for text in found):
        raise InvalidParameterError(TooLongValue(LONGEST), parameter=name)
    return found


def _words(name: str, given: Sequence[str] | None, known: tuple[W, ...]) -> tuple[W, ...]:
    wanted = _texts(name, given)
    unknown = [word for word in wanted if word not in known]
    if unknown:
        raise InvalidParameterError(NotOneOf(name, unknown[0][:40], known), parameter=name)
    return tuple(word for word in known if word in wanted)


def _commits(given: Iterable[str]) -> Iterable[str]:
    for text in given:
        if not _COMMIT.fullmatch(text.lower()):
            raise InvalidParameterError(NoCommitPrefix(), parameter="commit", given=text[:40])
        yield text.lower()
