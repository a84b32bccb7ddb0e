"""Everything that is computed with instants holds at the ends of the calendar, in every zone."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import islice

import pytest
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.aggregates.schedule.events import CatchupRule, ScheduleSet
from fastflow_events.errors import SettingsError
from fastflow_events.instants import FIRST, LAST, held, in_utc, later
from fastflow_events.service.settings import load
from fastflow_events.testing.builders import NOON
from fastflow_events.zoned import read_instant
from fastflow_gateway.handlers.artifacts import Left
from fastflow_rules.definition import Catchup, Definition, parse
from fastflow_rules.definition.values import is_cron
from fastflow_rules.schedules.planned import plan_of_api
from fastflow_rules.schedules.times import fault_of
from fastflow_rules.schedules.times import in_utc as schedule_in_utc
from fastflow_rules.schedules.timetable import Timetable, count_fires, fires, fires_backwards, next_fire, next_fires
from fastflow_rules.schedules.zones import zone, zone_names
from fastflow_scheduler.core.agenda import Agenda, Entry
from fastflow_scheduler.core.catchup import Span, Terms, due_at, outlook
from fastflow_scheduler.settings import SchedulerSettings
from fastflow_scheduler.testing.world import World
from hypothesis import example, given
from hypothesis import strategies as st

OFFSETS = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ENDS = st.sampled_from([datetime.min, datetime.max, datetime(1970, 1, 1), datetime(9000, 1, 1)])  # noqa: DTZ001, DTZ901
"""Without a zone: each is given one below."""


@st.composite
def near_an_end(draw: st.DrawFn) -> datetime:
    """An instant within two days of an end of the calendar, or of what is computed with."""
    end, away = draw(ENDS), draw(st.timedeltas(timedelta(days=-2), timedelta(days=2)))
    try:
        return (end + away).replace(tzinfo=draw(OFFSETS))
    except OverflowError:
        return (end - away).replace(tzinfo=draw(OFFSETS))


INSTANTS = near_an_end() | st.datetimes(timezones=OFFSETS)
ZONES = st.sampled_from(sorted(zone_names()))
CRONS = st.sampled_from(
    [
        "0 3 * * *",
        "*/5 * * * *",
        "@yearly",
        "@hourly",
        "59 23 31 12 *",
        "30 2 * 3 *",
        "* * * * * *",
        "0 0 29 2 1",
        "0 0 l * *",
    ]
)
SECONDS = st.floats(allow_nan=True, allow_infinity=True)
TIMETABLES = st.builds(
    Timetable,
    cron=st.none() | CRONS,
    interval_s=st.none() | SECONDS,
    at=st.none() | INSTANTS,
    timezone=ZONES,
    start=st.none() | INSTANTS,
    end=st.none() | INSTANTS,
    anchor=st.none() | INSTANTS,
)


@given(INSTANTS, SECONDS)
def test_an_instant_can_be_moved_by_anything(at: datetime, seconds: float) -> None:
    assert FIRST <= held(at) <= LAST
    assert FIRST <= later(at, seconds) <= LAST
    assert in_utc(at) in (None, at)


@given(INSTANTS)
def test_what_a_fact_may_say_is_what_can_be_computed_with(at: datetime) -> None:
    try:
        found = read_instant(at.isoformat())
    except ValueError:
        assert in_utc(at) is None or held(at) != at
    else:
        assert found == held(at) == at


def test_what_lies_inside_is_what_it_was() -> None:
    assert held(NOON.astimezone(timezone(timedelta(hours=-5)))) == NOON
    assert later(NOON, 90.5) == NOON + timedelta(seconds=90.5)
    assert later(NOON, -1e-6) == NOON - timedelta(microseconds=1)


@given(TIMETABLES, INSTANTS, INSTANTS)
@example(
    Timetable(cron="0 3 * * *", end=datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))), NOON, LAST
)  # the one that was found
@example(Timetable(cron="0 3 * * *", interval_s=11520001.0), FIRST, LAST)
def test_a_timetable_is_total(table: Timetable, after: datetime, until: datetime) -> None:
    soon = later(after, 400 * 86_400)
    found = list(islice(fires(table, after=after, until=min(held(until), soon)), 5))
    assert found == sorted(found)
    assert all(held(after) < at <= held(until) and at.tzinfo is UTC for at in found)
    backwards = list(islice(fires_backwards(table, after=later(until, -400 * 86_400), until=until), 5))
    assert backwards == sorted(backwards, reverse=True)
    assert count_fires(table, after=after, until=soon, at_most=3) >= min(3, len(found))
    assert next_fires(table, after=after, count=2, until=soon)[: len(found[:2])] == found[:2]


@given(
    st.builds(
        Terms,
        key=st.just("k"),
        timetable=TIMETABLES,
        catchup=st.builds(Catchup, policy=st.sampled_from(["skip", "latest", "all"]), within_s=SECONDS),
        jitter_s=st.floats(0, 86_400),
        late_after_s=SECONDS,
    ),
    INSTANTS,
    INSTANTS,
    INSTANTS,
)
def test_catching_up_and_the_agenda_are_total(terms: Terms, since: datetime, now: datetime, paused: datetime) -> None:
    since, now, paused = held(since), held(now), held(paused)
    seen = outlook(terms, since=max(since, later(now, -86_400)), now=now, pauses=[Span(paused, later(paused, 60))])
    agenda = Agenda()
    agenda.set(Entry("fire", "x"), seen.wake)
    list(agenda.take(now))
    assert FIRST <= due_at(terms, now) <= LAST


@given(st.text(max_size=30) | CRONS, ZONES)
def test_whatever_counts_as_a_crontab_can_be_followed(expression: str, zone: str) -> None:
    if is_cron(expression):
        next_fire(Timetable(cron=expression, timezone=zone), after=NOON)


SAID = st.fixed_dictionaries(
    {},
    optional={
        "cron": CRONS,
        "interval_s": st.floats(1, 1e9),
        "at": INSTANTS,
        "timezone": ZONES,
        "start": INSTANTS,
        "end": INSTANTS,
        "jitter_s": st.floats(0, 86_400),
        "catchup": st.builds(CatchupRule, within_s=st.floats(0, 1e9)),
    },
)


@given(SAID, INSTANTS)
def test_a_schedule_that_is_accepted_can_be_looked_at_from_every_instant(
    fields: dict[str, object], at: datetime
) -> None:
    schedule = schedule_in_utc(ScheduleSet(pipeline="hello", name="x", **fields))  # type: ignore[arg-type]
    if fault_of(schedule) is None:
        plan = plan_of_api(schedule, at=held(at), before=None, priority=0)
        found = next_fires(plan.timetable, after=at, count=3, until=later(at, 86_400))
        assert all(schedule.start is None or instant >= schedule.start for instant in found)
        assert all(schedule.end is None or instant <= schedule.end for instant in found)


NOT_IN_UTC = pytest.mark.parametrize(
    "fields",
    [
        {"cron": "0 3 * * *", "end": "9999-12-31T23:59:59-05:00"},
        {"cron": "0 3 * * *", "start": "0001-01-01T00:00:00+05:00"},
        {"interval_s": 60, "start": "0001-01-01T00:00:00+00:01"},
        {"at": "9999-12-31T23:59:59-00:01"},
        {"at": "0001-01-01T00:00:00+14:00"},
    ],
)


def set_with(fields: dict[str, object], name: str = "x") -> ScheduleSet:
    times = {name: datetime.fromisoformat(str(at)) for name, at in fields.items() if name in ("at", "start", "end")}
    return ScheduleSet(pipeline="hello", name=name, **{**fields, **times})  # type: ignore[arg-type]


@NOT_IN_UTC
def test_an_instant_that_utc_does_not_have_is_refused(fields: dict[str, object]) -> None:
    fault = fault_of(schedule_in_utc(set_with(fields)))
    assert fault is not None
    assert fields[fault.member] is not None
    assert fault.member in ("at", "start", "end")


@NOT_IN_UTC
async def test_one_that_was_stored_before_that_keeps_nobody_from_scheduling(fields: dict[str, object]) -> None:
    world = World()
    await world.pipeline("hello")
    await world.scheduler()
    await world.stored("schedule", "hello:x", set_with(fields))
    await world.append("schedule", "hello:y", [set_with({"cron": "0 3 * * *"}, name="y")])
    await world.advance(86_400, step_s=3600)
    [run] = await world.facts(RunRequested)
    assert isinstance(run.fact, RunRequested)
    assert run.fact.trigger.schedule == "hello:y"


@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999+05:00"])
def test_the_end_of_the_calendar_is_a_way_to_say_never(end: str) -> None:
    raw = f'{{"schedule_cron": "0 3 * * *", "timezone": "Asia/Tokyo", "schedule_end": "{end}"}}'
    definition = parse(raw.encode(), folder="hello")
    assert isinstance(definition, Definition)
    assert next_fire(Timetable(cron="0 3 * * *", timezone="Asia/Tokyo", end=definition.end), after=NOON) is not None


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("schedule_end", "9999-12-31T23:59:59-05:00"),
        ("schedule_start", "0001-01-01T00:00:00+05:00"),
        ("run_once_at", "9999-12-31T23:59:59-05:00"),
    ],
)
def test_a_file_with_such_an_instant_is_invalid(member: str, text: str) -> None:
    problems = parse(f'{{"schedule_cron": "0 3 * * *", "{member}": "{text}"}}'.encode(), folder="hello")
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == [f"$.{member}"]


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "right/UTC", "posix/UTC", "utc", "../UTC", ""])
def test_a_zone_is_one_that_means_the_same_on_every_host(name: str) -> None:
    fault = fault_of(ScheduleSet(pipeline="hello", name="x", cron="@daily", timezone=name))
    assert fault is not None
    assert fault.member == "timezone"
    assert isinstance(parse(f'{{"timezone": "{name}"}}'.encode(), folder="hello"), list)


def test_every_zone_can_be_read() -> None:
    assert len(zone_names()) > 500
    assert all(zone(name).key == name for name in zone_names())


@pytest.mark.parametrize("name", ["CLAIM_WITHIN_S", "LOST_AFTER_S", "LATE_AFTER_S", "REPOSITORY_OVERDUE_AFTER_S"])
@pytest.mark.parametrize("text", ["nan", "inf", "1e300", "1000000001", "-1"])
def test_a_span_that_nobody_can_wait_for_is_no_setting(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load(SchedulerSettings, {f"FASTFLOW_{name}": text})


@given(INSTANTS)
def test_a_file_is_kept_until_an_instant_whenever_it_was_stored(at: datetime) -> None:
    left = Left(attempt=1, path="a", size_bytes=1, sha256="", stored_at=at)
    assert FIRST <= left.expires_at <= LAST
