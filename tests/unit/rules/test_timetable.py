"""When a schedule means to fire: crontabs, intervals and windows, in every zone and over every change of the clock."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from fastflow_rules.schedules.timetable import Timetable, count_fires, fires, fires_backwards, next_fire, next_fires
from hypothesis import given, settings
from hypothesis import strategies as st

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Cairo",
    "Asia/Tehran",
]


def at(year: int, month: int, day: int, *clock: int) -> datetime:
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def local(cron: str, zone: str, after: datetime, count: int) -> list[str]:
    found = next_fires(Timetable(cron=cron, timezone=zone), after=after, count=count)
    return [instant.astimezone(ZoneInfo(zone)).strftime("%d %H:%M%z") for instant in found]


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN"])
def test_sunday_has_two_numbers_and_a_name(sunday: str) -> None:
    first = next_fire(Timetable(cron=f"0 0 * * {sunday}"), after=at(2026, 1, 1))
    assert first == at(2026, 1, 4)


def test_a_day_of_month_and_a_day_of_week_mean_either() -> None:
    found = next_fires(Timetable(cron="0 0 13 * 5"), after=at(2026, 1, 1), count=4)
    assert [instant.day for instant in found] == [2, 9, 13, 16]


def test_a_star_with_a_step_narrows_the_other_day() -> None:
    found = next_fires(Timetable(cron="0 0 */2 * 1"), after=at(2026, 1, 1), count=3)
    assert [instant.day for instant in found] == [5, 19, 9]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("@yearly", at(2027, 1, 1)),
        ("@monthly", at(2026, 6, 1)),
        ("@weekly", at(2026, 5, 24)),
        ("@daily", at(2026, 5, 21)),
        ("@Hourly", at(2026, 5, 20, 11)),
    ],
)
def test_names_stand_for_expressions(name: str, first: datetime) -> None:
    assert next_fire(Timetable(cron=name), after=at(2026, 5, 20, 10, 30)) == first


def test_six_fields_begin_with_seconds() -> None:
    found = next_fires(Timetable(cron="*/20 30 4 * * *"), after=at(2026, 5, 20), count=3)
    assert found == [at(2026, 5, 20, 4, 30, second) for second in (0, 20, 40)]


def test_berlin_skips_an_hour_in_spring_and_repeats_one_in_autumn() -> None:
    spring, autumn = at(2026, 3, 28, 23), at(2026, 10, 24, 22, 30)
    assert local("30 2 * * *", "Europe/Berlin", spring, 2) == ["29 03:00+0200", "30 02:30+0200"]
    assert local("30 2 * * *", "Europe/Berlin", autumn, 2) == ["25 02:30+0200", "26 02:30+0100"]
    assert local("*/30 * * * *", "Europe/Berlin", at(2026, 3, 29, 0, 30), 2) == ["29 03:00+0200", "29 03:30+0200"]
    assert local("0 * * * *", "Europe/Berlin", at(2026, 10, 24, 23, 30), 3) == [
        "25 02:00+0200",
        "25 02:00+0100",
        "25 03:00+0100",
    ]


def test_new_york_skips_an_hour_in_spring_and_repeats_one_in_autumn() -> None:
    assert local("30 2 * * *", "America/New_York", at(2026, 3, 8, 5), 2) == ["08 03:00-0400", "09 02:30-0400"]
    assert local("30 1 * * *", "America/New_York", at(2026, 11, 1, 4), 2) == ["01 01:30-0400", "02 01:30-0500"]
    assert local("*/30 1 * * *", "America/New_York", at(2026, 11, 1, 4, 59), 4) == [
        "01 01:00-0400",
        "01 01:30-0400",
        "01 01:00-0500",
        "01 01:30-0500",
    ]


def test_lord_howe_changes_its_clock_by_half_an_hour() -> None:
    zone = "Australia/Lord_Howe"
    assert local("15 2 * * *", zone, at(2026, 10, 3, 14), 2) == ["04 02:30+1100", "05 02:15+1100"]
    assert local("45 1 * * *", zone, at(2026, 4, 4, 14), 2) == ["05 01:45+1100", "06 01:45+1030"]
    assert local("*/15 1 * * *", zone, at(2026, 4, 4, 13, 59), 7) == [
        "05 01:00+1100",
        "05 01:15+1100",
        "05 01:30+1100",
        "05 01:45+1100",
        "05 01:30+1030",
        "05 01:45+1030",
        "06 01:00+1030",
    ]
    assert local("*/10 5 * * *", zone, at(2026, 4, 4, 13), 1) == ["05 05:00+1030"]


def test_a_day_that_a_zone_left_out_has_no_fires() -> None:
    assert local("30 2 * * *", "Pacific/Apia", at(2011, 12, 29, 11), 2) == ["29 02:30-1000", "31 02:30+1400"]
    assert local("0 * * * *", "Pacific/Apia", at(2011, 12, 30, 8), 2) == ["29 23:00-1000", "31 00:00+1400"]


def test_a_midnight_that_does_not_exist_is_made_up_for() -> None:
    assert local("@daily", "Africa/Cairo", at(2026, 4, 23, 12), 2) == ["24 01:00+0300", "25 00:00+0300"]


def wall(zone: str, instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


FIELDS = [
    ("0 * * * *", lambda w: w.minute == 0),
    ("*/15 * * * *", lambda w: w.minute % 15 == 0),
    ("*/20 1,5 * * *", lambda w: w.minute % 20 == 0 and w.hour in (1, 5)),
    ("5 */3 * * *", lambda w: w.minute == 5 and w.hour % 3 == 0),
    ("*/30 * * * 0", lambda w: w.minute % 30 == 0 and w.isoweekday() == 7),
]


@settings(max_examples=60)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(FIELDS),
    st.dates(date(2010, 1, 1), date(2030, 1, 1)),
    st.integers(0, 86_399),
)
def test_jobs_that_follow_the_wall_clock_fire_whenever_it_matches(
    zone: str, job: tuple[str, Callable[[datetime], bool]], day: date, second: int
) -> None:
    after = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    until = after + timedelta(days=2)
    cron, matches = job
    minute = (after + timedelta(minutes=1)).replace(second=0)
    expected = []
    while minute <= until:
        if matches(wall(zone, minute)):
            expected.append(minute)
        minute += timedelta(minutes=1)
    assert list(fires(Timetable(cron=cron, timezone=zone), after=after, until=until)) == expected


@settings(max_examples=60)
@given(st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 59), st.dates(date(2012, 1, 1), date(2030, 1, 1)))
def test_a_time_of_day_fires_once_on_every_day(zone: str, hour: int, minute: int, day: date) -> None:
    after = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    found = next_fires(Timetable(cron=f"{minute} {hour} * * *", timezone=zone), after=after, count=200)
    days = [wall(zone, instant).date() for instant in found]
    assert days == [days[0] + timedelta(days=n) for n in range(200)]
    exact = [instant for instant in found if wall(zone, instant).time().replace(second=0) >= wall(zone, instant).time()]
    assert len(exact) == 200


timetables = st.one_of(
    st.builds(
        Timetable,
        cron=st.sampled_from([cron for cron, _ in FIELDS] + ["30 2 * * *", "0 2,3 * * *", "@daily", "*/30 * 2 * * *"]),
        timezone=st.sampled_from(ZONES),
    ),
    st.builds(Timetable, interval_s=st.floats(0.5, 90_000), anchor=st.just(at(2026, 3, 1, 7))),
    st.builds(Timetable, interval_s=st.integers(1, 90_000), start=st.just(at(2026, 3, 28, 1, 2, 3))),
    st.builds(Timetable, at=st.integers(0, 172_800).map(lambda s: at(2026, 3, 28) + timedelta(seconds=s))),
)


@settings(max_examples=150)
@given(timetables, st.integers(0, 4 * 86_400), st.integers(0, 86_400), st.sampled_from([None, at(2026, 3, 29, 1)]))
def test_backwards_is_forwards_reversed_and_counting_is_walking(
    timetable: Timetable, offset: int, length: int, end: datetime | None
) -> None:
    timetable = Timetable(**{**{f: getattr(timetable, f) for f in timetable.__struct_fields__}, "end": end})
    after = at(2026, 3, 27) + timedelta(seconds=offset)
    until = after + timedelta(seconds=length)
    forwards = list(islice(fires(timetable, after=after, until=until), 5000))
    if len(forwards) < 5000:
        assert list(fires_backwards(timetable, after=after, until=until)) == forwards[::-1]
    assert forwards == sorted(set(forwards))
    assert all(after < instant <= until for instant in forwards)
    assert count_fires(timetable, after=after, until=until, at_most=5000) == len(forwards)
    if forwards:
        assert next_fire(timetable, after=after) == forwards[0]


def test_a_window_is_inclusive_at_both_ends() -> None:
    day = Timetable(cron="0 0 * * *", start=at(2026, 5, 2), end=at(2026, 5, 4))
    assert [f.day for f in fires(day, after=at(2026, 1, 1))] == [2, 3, 4]
    hourly = Timetable(interval_s=3600, start=at(2026, 5, 2), end=at(2026, 5, 2, 2))
    assert [f.hour for f in fires(hourly, after=at(2026, 1, 1))] == [0, 1, 2]


def test_an_interval_keeps_its_phase_whenever_it_is_asked() -> None:
    hourly = Timetable(interval_s=3600, anchor=at(2026, 5, 1, 0, 17))
    assert next_fire(hourly, after=at(2026, 5, 1, 0, 17)) == at(2026, 5, 1, 1, 17)
    assert next_fire(hourly, after=at(2026, 6, 30, 12)) == at(2026, 6, 30, 12, 17)
    assert next_fire(hourly, after=at(2026, 1, 1)) == at(2026, 5, 1, 1, 17)


def test_a_single_instant_fires_once() -> None:
    once = Timetable(at=at(2026, 5, 1))
    assert list(fires(once, after=at(2026, 4, 1))) == [at(2026, 5, 1)]
    assert next_fire(once, after=at(2026, 5, 1)) is None


def test_what_comes_once_in_a_generation_is_found_and_what_never_comes_is_given_up() -> None:
    assert next_fire(Timetable(cron="0 0 * 2 MON#5"), after=at(2026, 1, 1)) == at(2044, 2, 29)
    assert next_fire(Timetable(cron="0 0 * 2 MON#5", end=at(2040, 1, 1)), after=at(2026, 1, 1)) is None
