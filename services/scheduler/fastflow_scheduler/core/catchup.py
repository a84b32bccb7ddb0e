"""What becomes of a schedule's fires that are due: fired, made up for, missed or skipped. Pure.

| a fire that | is |
|---|---|
| is due and not late | fired |
| is late, nobody had paused it | fired or missed, as the schedule's `catchup` says |
| was meant while it was paused | skipped |

Nothing happens while it is paused; what was meant meanwhile is settled when it is resumed.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple

from fastflow_events.instants import later
from fastflow_rules.definition import Catchup
from fastflow_rules.schedules.timetable import Timetable, count_fires, fires, fires_backwards, next_fire

from fastflow_scheduler.core.stable_fraction import stable_fraction

COUNT_AT_MOST = 10_000
"""More fires that did not happen are told as "at least so many"."""
AT_ONCE = 100
"""Fires that are proposed in one go; the rest follow as soon as these stand in the log."""


class Span(NamedTuple):
    """A pause: from, and until when; None is until now and on."""

    start: datetime
    end: datetime | None


class Due(NamedTuple):
    """Fire this nominal instant now."""

    nominal: datetime


class NotFired(NamedTuple):
    """Tell that these fires did not happen."""

    kind: Literal["skipped", "missed"]
    first: datetime
    last: datetime
    number: int
    at_least: bool


class Outlook(NamedTuple):
    """What to append now, in this order, and when to look again."""

    steps: Sequence[Due | NotFired]
    wake: datetime | None


class Terms(NamedTuple):
    """How a schedule fires."""

    key: str
    """What its spread and its jitter depend on."""
    timetable: Timetable
    catchup: Catchup
    jitter_s: float = 0.0
    late_after_s: float = 60.0
    """A fire that is later than this is late."""


def outlook(terms: Terms, *, since: datetime, now: datetime, pauses: Sequence[Span] = ()) -> Outlook:
    """Settle every fire that was meant after `since` and is due by `now`."""
    if any(pause.end is None and pause.start <= now for pause in pauses):
        return Outlook((), None)
    table = terms.timetable
    first = next_fire(table, after=since)
    if first is None:
        return Outlook((), None)
    if (due := due_at(terms, first)) > now:
        return Outlook((), due)
    late = later(now, -(terms.late_after_s + terms.jitter_s))
    steps = list(_settle_late(terms, since, late, now, pauses)) if first <= late else []
    on_time = _on_time(terms, max(since, late), now, pauses)
    if terms.catchup.policy == "latest" and any(isinstance(step, Due) for step in on_time):
        steps = [_given_up(step) for step in steps]
    steps += on_time
    return Outlook(_merged(steps), None)


def due_at(terms: Terms, nominal: datetime) -> datetime:
    """When the fire of a nominal instant is due: late by its jitter, always the same."""
    if not terms.jitter_s:
        return nominal
    return later(nominal, terms.jitter_s * stable_fraction(terms.key, nominal.isoformat()))


def _on_time(terms: Terms, after: datetime, now: datetime, pauses: Sequence[Span]) -> list[Due | NotFired]:
    steps: list[Due | NotFired] = []
    for nominal in islice(fires(terms.timetable, after=after, until=now), AT_ONCE):
        if due_at(terms, nominal) > now:
            break
        steps.append(_skipped(nominal) if _paused(nominal, pauses) else Due(nominal))
    return steps


def _settle_late(
    terms: Terms, since: datetime, until: datetime, now: datetime, pauses: Sequence[Span]
) -> Iterator[Due | NotFired]:
    """Oldest first; what is made up for is the youngest of what nobody had paused."""
    chosen = _made_up(terms, since, until, now, pauses)
    low = since
    for high, paused in _stretches(since, until, pauses):
        picked = [nominal for nominal in chosen if low < nominal <= high]
        last = (picked[0] - timedelta(microseconds=1)) if picked else high
        not_fired = _told(terms.timetable, low, last, "skipped" if paused else "missed")
        if not_fired is not None:
            yield not_fired
        yield from (Due(nominal) for nominal in picked)
        low = high


def _made_up(terms: Terms, since: datetime, until: datetime, now: datetime, pauses: Sequence[Span]) -> list[datetime]:
    rule = terms.catchup
    if rule.policy == "skip":
        return []
    oldest = max(since, later(now, -(rule.within_s + terms.jitter_s + 1e-6)))
    if oldest >= until:
        return []
    candidates = fires_backwards(terms.timetable, after=oldest, until=until)
    wanted = 1 if rule.policy == "latest" else rule.max_runs
    return list(islice((n for n in candidates if not _paused(n, pauses)), wanted))[::-1]


def _stretches(since: datetime, until: datetime, pauses: Iterable[Span]) -> Iterator[tuple[datetime, bool]]:
    """Ends of the stretches between `since` and `until`, with whether the schedule was paused in them."""
    low = since
    for start, end in sorted((p.start, p.end or until) for p in pauses):
        if end <= low or start >= until:
            continue
        if start > low:
            yield start, False
        low = min(end, until)
        yield low, True
    if low < until:
        yield until, False


def _paused(nominal: datetime, pauses: Sequence[Span]) -> bool:
    return any(pause.start < nominal and (pause.end is None or nominal <= pause.end) for pause in pauses)


def _told(table: Timetable, low: datetime, high: datetime, kind: Literal["skipped", "missed"]) -> NotFired | None:
    """What is to be told of the fires after `low` and not after `high`; None when there are none."""
    first = next(fires(table, after=low, until=high), None) if low < high else None
    if first is None:
        return None
    last = next(fires_backwards(table, after=low, until=high))
    count = count_fires(table, after=low, until=high, at_most=COUNT_AT_MOST)
    return NotFired(kind, first, last, count, count == COUNT_AT_MOST)


def _skipped(nominal: datetime) -> NotFired:
    return NotFired("skipped", nominal, nominal, 1, False)


def _given_up(step: Due | NotFired) -> Due | NotFired:
    return NotFired("missed", step.nominal, step.nominal, 1, False) if isinstance(step, Due) else step


def _merged(steps: Iterable[Due | NotFired]) -> list[Due | NotFired]:
    """Neighbours of one kind as one."""
    merged: list[Due | NotFired] = []
    for step in steps:
        last = merged[-1] if merged else None
        if isinstance(step, NotFired) and isinstance(last, NotFired) and last.kind == step.kind:
            both = min(COUNT_AT_MOST, last.number + step.number)
            merged[-1] = NotFired(step.kind, last.first, step.last, both, both == COUNT_AT_MOST)
        else:
            merged.append(step)
    return merged
