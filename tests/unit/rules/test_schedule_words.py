"""When schedules fire, in words, and what is said of changes of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from fastflow_events.message import Statement, render, statements
from fastflow_events.testing.builders import NOON
from fastflow_rules.schedules.clock_changes import remarks_on
from fastflow_rules.schedules.crontab import crontab
from fastflow_rules.schedules.timetable import Timetable, fires
from fastflow_rules.schedules.words import words_of
from hypothesis import given
from hypothesis import strategies as st

YEAR = timedelta(days=366)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 2 * * *", "at 02:00 every day"),
        ("@daily", "at 00:00 every day"),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("*/7 * * * *", "every hour at minute 0, 7, 14, 21, 28, 35, 42, 49, 56"),
        ("0 */2 * * *", "every 2 hours at minute 0"),
        ("0 8,20 * * 1-5", "at 08:00, 20:00 on Monday to Friday"),
        ("*/10 9-17 * * mon-fri", "every 10 minutes of hour 9-17 on Monday to Friday"),
        ("0 0 1,15 * *", "at 00:00 on day 1, 15 of the month"),
        ("0 0 L * *", "at 00:00 on the last day of the month"),
        ("0 0 * * 1#2,5L", "at 00:00 on Monday number 2 of the month, the last Friday of the month"),
        ("0 0 1 * 1", "at 00:00 on day 1 of the month or on Monday"),
        ("0 0 */15 * 0", "at 00:00 on day 1, 16, 31 of the month, if that is on Sunday"),
        ("0 12 * * 6,7", "at 12:00 on Saturday, Sunday"),
        ("0 3 * 1-3,7 *", "at 03:00 every day in January to March, July"),
        ("*/5 * * * * *", "every 5 seconds"),
        ("30 0 2 * * *", "at 02:00:30 every day"),
        ("10-20 1-5 * * *", "at minute 10-20 of hour 1-5 every day"),
        ("soon", "never"),
    ],
)
def test_a_crontab_is_told_in_words(cron: str, words: str) -> None:
    assert str(words_of(Timetable(cron=cron))) == words


def test_intervals_and_single_instants_are_told_in_words() -> None:
    told = {seconds: str(words_of(Timetable(interval_s=seconds))) for seconds in (1, 90, 60, 7200, 86_400)}
    assert told == {
        1: "every second",
        90: "every 90 seconds",
        60: "every minute",
        7200: "every 2 hours",
        86_400: "every day",
    }
    assert str(words_of(Timetable(at=NOON))) == "once, at 2026-03-01T12:00:00Z"
    assert str(words_of(Timetable())) == "never"


def field(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    ranges = st.tuples(numbers, numbers).map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = st.integers(1, high).map(lambda step: f"*/{step}")
    return st.one_of(
        st.just("*"), numbers.map(str), ranges, steps, st.lists(numbers.map(str), min_size=2).map(",".join)
    )


CRONTABS = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join)


@given(CRONTABS)
def test_every_crontab_can_be_said_in_another_language(cron: str) -> None:
    known = statements()

    def said(words: Statement) -> str:
        message = words.message
        assert message.code in known
        members = {name: getattr(words, name) for name in message.args}
        return render(
            known[message.code].english, {n: said(m) if isinstance(m, Statement) else m for n, m in members.items()}
        )

    words = words_of(Timetable(cron=cron))
    assert said(words) == str(words) != "never"


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        (
            "30 2 * * *",
            [
                "on 2026-03-29 the clock leaves out 02:30: it runs at 03:00",
                "on 2026-10-25 the clock shows 02:30 twice: it runs the first time only",
            ],
        ),
        (
            "*/15 * * * *",
            [
                "on 2026-03-29 the clock leaves out 02:00 to 03:00: there are no fires then",
                "on 2026-10-25 the clock shows 02:00 to 03:00 twice: it fires both times",
            ],
        ),
        ("0 5 * * *", []),
        ("30 2 * * 1", []),
    ],
)
def test_it_is_said_what_a_change_of_the_clock_does(cron: str, told: list[str]) -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC)
    remarks = remarks_on(Timetable(cron=cron, timezone="Europe/Berlin"), after=after, until=after + YEAR)
    assert [str(remark.words) for remark in remarks] == told


def test_of_a_day_that_never_was_nothing_is_made_up() -> None:
    after = datetime(2011, 12, 1, tzinfo=UTC)
    [remark] = remarks_on(Timetable(cron="0 5 * * *", timezone="Pacific/Apia"), after=after, until=after + YEAR / 6)
    assert remark.words.message.code == "clock.no_fires"


@given(CRONTABS, st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]))
def test_what_is_said_of_a_clock_put_forward_is_what_happens(cron: str, zone: str) -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC)
    table = Timetable(cron=cron, timezone=zone)
    for remark in remarks_on(table, after=after, until=after + YEAR):
        at_the_change = remark.at in list(fires(table, after=remark.at - timedelta(seconds=1), until=remark.at))
        if remark.words.message.code == "clock.runs_later":
            assert at_the_change
        if remark.words.message.code == "clock.both_times":
            assert crontab(cron, zone).by_wall_clock


def test_a_window_bounds_what_is_said() -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC)
    table = Timetable(cron="30 2 * * *", timezone="Europe/Berlin", start=datetime(2026, 6, 1, tzinfo=UTC))
    assert len(remarks_on(table, after=after, until=after + YEAR)) == 1
