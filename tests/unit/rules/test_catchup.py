"""What becomes of fires: on time, late, while paused; after outages of seconds, minutes and days."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from fastflow_rules.definition import Catchup
from fastflow_rules.schedules.timetable import Timetable, fires
from fastflow_scheduler.core.catchup import COUNT_AT_MOST, Due, NotFired, Outlook, Span, Terms, due_at, outlook
from hypothesis import given, settings
from hypothesis import strategies as st

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTELY = Timetable(cron="* * * * *")
SECONDLY = Timetable(cron="* * * * * *")
HOURLY = Timetable(cron="0 * * * *")


def after(**gone: float) -> datetime:
    return T0 + timedelta(**gone)


def terms(timetable: Timetable = MINUTELY, policy: str = "latest", **more: object) -> Terms:
    rule = {name: more.pop(name) for name in ("within_s", "max_runs") if name in more}
    return Terms("hello:x", timetable, Catchup(policy=policy, **rule), **more)  # type: ignore[arg-type]


def told(found: Outlook) -> list[str]:
    """Fires by their instant after noon, the others by their number."""
    return [str(step.nominal - T0) if isinstance(step, Due) else f"{step.number} {step.kind}" for step in found.steps]


def settle(terms: Terms, now: datetime, pauses: Sequence[Span] = ()) -> list[str]:
    return told(outlook(terms, since=T0, now=now, pauses=pauses))


def test_what_is_not_due_is_waited_for() -> None:
    found = outlook(terms(), since=T0, now=after(seconds=59))
    assert found == Outlook((), after(seconds=60))


def test_what_is_due_is_fired_and_remembered_by_its_exact_instant() -> None:
    assert settle(terms(), after(seconds=60.2)) == ["0:01:00"]


@pytest.mark.parametrize("policy", ["skip", "latest", "all"])
def test_three_seconds_lose_nothing_under_any_policy(policy: str) -> None:
    assert settle(terms(SECONDLY, policy), after(seconds=3)) == ["0:00:01", "0:00:02", "0:00:03"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("skip", ["2 missed", "0:03:00"]),
        ("latest", ["2 missed", "0:03:00"]),
        ("all", ["0:01:00", "0:02:00", "0:03:00"]),
    ],
)
def test_three_minutes_follow_the_policy(policy: str, expected: list[str]) -> None:
    assert settle(terms(MINUTELY, policy), after(minutes=3)) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("skip", ["72 missed"]),
        ("latest", ["71 missed", "3 days, 0:00:00"]),
        ("all", ["71 missed", "3 days, 0:00:00"]),
    ],
)
def test_three_days_follow_the_policy_within_its_window(policy: str, expected: list[str]) -> None:
    assert settle(terms(HOURLY, policy), after(days=3, minutes=30)) == expected


def test_all_within_a_wide_window_is_cut_to_the_youngest() -> None:
    wide = terms(HOURLY, "all", within_s=7 * 86_400, max_runs=3)
    assert settle(wide, after(days=3, minutes=30)) == [
        "69 missed",
        "2 days, 22:00:00",
        "2 days, 23:00:00",
        "3 days, 0:00:00",
    ]


def test_the_latest_is_made_up_for_only_within_its_window() -> None:
    daily = Timetable(cron="0 12 * * *")
    assert settle(terms(daily), after(days=1, minutes=59)) == ["1 day, 0:00:00"]
    assert settle(terms(daily), after(days=1, minutes=61)) == ["1 missed"]


def test_nothing_happens_while_it_is_paused_and_nothing_is_made_up_for_afterwards() -> None:
    pause = Span(after(seconds=90), None)
    assert outlook(terms(policy="all"), since=T0, now=after(minutes=9), pauses=[pause]) == Outlook((), None)
    over = [Span(after(seconds=90), after(minutes=8, seconds=30))]
    assert settle(terms(policy="all"), after(minutes=9), over) == ["0:01:00", "7 skipped", "0:09:00"]


def test_downtime_around_a_pause_is_still_downtime() -> None:
    over = [Span(after(minutes=2, seconds=30), after(minutes=5, seconds=30))]
    now = after(minutes=8, seconds=30)
    assert settle(terms(policy="skip"), now, over) == ["2 missed", "3 skipped", "2 missed", "0:08:00"]
    assert settle(terms(policy="latest"), now, over) == ["2 missed", "3 skipped", "2 missed", "0:08:00"]


def test_a_run_once_instant_that_was_slept_through_is_made_up_for_once() -> None:
    once = Timetable(at=after(minutes=10))
    assert settle(terms(once), after(minutes=40)) == ["0:10:00"]
    assert outlook(terms(once), since=after(minutes=10), now=after(minutes=40)) == Outlook((), None)


def test_a_hole_of_years_is_told_without_counting_it() -> None:
    [step] = outlook(terms(SECONDLY, "skip"), since=T0 - timedelta(days=1000), now=T0).steps[:1]
    assert isinstance(step, NotFired)
    assert (step.number, step.at_least) == (COUNT_AT_MOST, True)
    assert step.last == T0 - timedelta(seconds=60)


def test_jitter_delays_each_fire_by_its_own_amount_and_keeps_their_order() -> None:
    spread = terms(MINUTELY, jitter_s=150)
    dues = [due_at(spread, after(minutes=n)) - after(minutes=n) for n in range(1, 50)]
    assert all(timedelta() <= late < timedelta(seconds=150) for late in dues)
    assert len(set(dues)) == 49
    since, now, fired = T0, T0, []
    while now < after(hours=1):
        now += timedelta(seconds=5)
        for step in outlook(spread, since=since, now=now).steps:
            assert isinstance(step, Due)
            fired.append(step.nominal)
            since = step.nominal
    assert fired == sorted(fired)
    assert len(fired) >= 57


timetables = st.sampled_from(
    [MINUTELY, SECONDLY, HOURLY, Timetable(interval_s=7, anchor=T0), Timetable(cron="*/7 * * * *")]
)
rules = st.builds(
    Catchup,
    policy=st.sampled_from(["skip", "latest", "all"]),
    within_s=st.sampled_from([0.0, 300.0, 3600.0]),
    max_runs=st.integers(1, 5),
)
spans = st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 600)), max_size=3).map(
    lambda found: [Span(after(seconds=a), after(seconds=a + b)) for a, b in found]
)


@settings(max_examples=200)
@given(timetables, rules, spans, st.floats(0, 2000), st.sampled_from([0.0, 20.0]))
def test_every_nominal_instant_is_settled_exactly_once_and_in_order(
    timetable: Timetable, rule: Catchup, pauses: list[Span], length: float, jitter: float
) -> None:
    how = Terms("k", timetable, rule, jitter)
    now = after(seconds=length)
    steps = outlook(how, since=T0, now=now, pauses=[p for p in pauses if p.end is not None and p.end <= now]).steps
    edges = [edge for s in steps for edge in ((s.nominal, s.nominal) if isinstance(s, Due) else (s.first, s.last))]
    assert edges == sorted(edges)
    number = sum(1 if isinstance(step, Due) else step.number for step in steps)
    if edges:
        assert number == sum(1 for _ in fires(timetable, after=T0, until=edges[-1]))
    unsettled = next(fires(timetable, after=edges[-1] if edges else T0), None)
    assert unsettled is not None
    assert due_at(how, unsettled) > now or number >= 100
