"""The agenda, the patience with silent runners, the trust in clocks, and the phase of schedules."""

from datetime import datetime, timedelta

from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.testing.builders import NOON, holder
from fastflow_rules.definition import Catchup, Definition, Schedule
from fastflow_rules.liveness import MARGIN_S, Liveness
from fastflow_rules.schedules.planned import plan_of_api, plans_of_file
from fastflow_rules.schedules.timetable import next_fire
from fastflow_scheduler.core.agenda import Agenda, Entry
from fastflow_scheduler.core.clocks import agrees, jumped
from hypothesis import given
from hypothesis import strategies as st


def later(**gone: float) -> datetime:
    return NOON + timedelta(**gone)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 100))), max_size=200), st.integers(0, 100)
)
def test_the_agenda_yields_what_is_due_and_nothing_else(settings: list[tuple[int, int | None]], now: int) -> None:
    agenda, expected = Agenda(), dict[str, int | None]()
    for key, due in settings:
        agenda.set(Entry("retry", str(key)), None if due is None else later(seconds=due))
        expected[str(key)] = due
    dues = sorted((at, key) for key, at in expected.items() if at is not None)
    assert agenda.head() == (later(seconds=dues[0][0]) if dues else None)
    taken = [entry.key for entry in agenda.take(later(seconds=now))]
    assert sorted(taken) == sorted(key for at, key in dues if at <= now)
    assert len(agenda) == sum(at > now for at, _ in dues)


def test_a_silent_runner_is_lost_after_a_while_and_not_before_we_could_hear_for_long_enough() -> None:
    liveness = Liveness(lease_s=15, lost_after_s=900)
    liveness.heard([holder()], 0)
    liveness.heard([], 100)
    assert liveness.lost_at(holder()) == 900
    liveness.deaf()
    assert liveness.lost_at(holder()) is None
    liveness.heard([], 895)
    assert liveness.lost_at(holder()) == 895 + 30 + MARGIN_S


def test_whoever_did_not_listen_for_longer_than_a_lease_was_deaf() -> None:
    liveness = Liveness(lease_s=15, lost_after_s=900)
    liveness.heard([holder()], 0)
    liveness.heard([], 5000)
    assert liveness.lost_at(holder()) == 5000 + 30 + MARGIN_S
    liveness.heard([], 5015)
    assert liveness.lost_at(holder()) == 5000 + 30 + MARGIN_S
    liveness.heard([], 5030.5)
    assert liveness.lost_at(holder()) == 5030.5 + 30 + MARGIN_S


@given(st.lists(st.integers(min_value=1, max_value=2000), min_size=1, max_size=30))
def test_nobody_is_given_up_before_we_have_listened_steadily_for_two_leases(gaps: list[int]) -> None:
    liveness, at, steady = Liveness(lease_s=15, lost_after_s=60), 0, 0
    liveness.heard([holder()], 0)
    for gap in gaps:
        at += gap
        steady = 0 if gap > 15 else steady + gap
        liveness.heard([], at)
        lost_at = liveness.lost_at(holder())
        assert lost_at is not None
        assert (lost_at <= at) == (at >= 60 and steady >= 30 + MARGIN_S)


def test_whoever_was_never_heard_is_given_the_whole_time_from_our_start_on() -> None:
    liveness = Liveness(lease_s=15, lost_after_s=900)
    liveness.heard([], 18_000)
    assert liveness.lost_at(holder()) == 18_900
    liveness.heard([holder()], 18_010)
    assert liveness.lost_at(holder()) == 18_910


def test_a_clock_behind_the_servers_is_believed_and_one_ahead_is_not() -> None:
    age = timedelta(seconds=5)
    assert agrees(later(days=-1), NOON, age=age)
    assert agrees(later(seconds=10), NOON, age=age)
    assert not agrees(later(seconds=11), NOON, age=age)


def test_only_a_jump_forward_is_suspicious() -> None:
    assert not jumped((NOON, 0), (later(seconds=60), 60))
    assert not jumped((NOON, 0), (later(hours=-1), 60))
    assert not jumped((NOON, 0), (later(seconds=64), 60))
    assert jumped((NOON, 0), (later(days=1), 60))


def test_a_sync_that_changes_nothing_about_an_interval_keeps_its_phase() -> None:
    first = plans_of_file("p", Definition(interval_s=3600), at=NOON, before={})
    synced = plans_of_file("p", Definition(interval_s=3600, description="new"), at=later(minutes=59), before=first)
    assert synced == first
    faster = plans_of_file("p", Definition(interval_s=600), at=later(minutes=59), before=synced)
    assert next_fire(faster["default"].timetable, after=later(minutes=59)) == later(minutes=69)


def test_schedules_inherit_what_they_do_not_say_and_are_run_configurations() -> None:
    definition = Definition(
        schedules=(
            Schedule(id="often", interval_s=60, jitter_s=5, priority=-1, catchup=Catchup(policy="skip")),
            Schedule(id="rarely", cron="@weekly", timezone="Europe/Berlin", enabled=False),
            Schedule(id="by hand"),
        ),
        catchup=Catchup(policy="all"),
        jitter_s=7,
        priority=3,
    )
    plans = plans_of_file("p", definition, at=NOON, before={})
    assert set(plans) == {"often", "rarely"}
    often, rarely = plans["often"], plans["rarely"]
    assert (often.jitter_s, often.priority, often.catchup.policy, often.enabled) == (5, -1, "skip", True)
    assert (rarely.jitter_s, rarely.priority, rarely.catchup.policy, rarely.enabled) == (7, 3, "all", False)
    assert (often.run_config_id, often.id) == ("often", "p:often")


def test_crontabs_of_a_pipeline_are_in_its_time_zone_unless_they_have_one_of_their_own() -> None:
    def zones(definition: Definition) -> dict[str, str]:
        plans = plans_of_file("p", definition, at=NOON, before={})
        return {name: plan.timetable.timezone for name, plan in plans.items()}

    two = (Schedule(id="a", cron="0 3 * * *"), Schedule(id="b", cron="0 3 * * *", timezone="UTC"))
    berlin = Definition(timezone="Europe/Berlin", schedules=two, restart_interval="0 4 * * *")
    assert zones(berlin) == {"a": "Europe/Berlin", "b": "UTC", "@restart": "Europe/Berlin"}
    assert zones(Definition(cron="0 3 * * *", timezone="Europe/Berlin")) == {"default": "Europe/Berlin"}
    assert zones(Definition(schedules=two)) == {"a": "UTC", "b": "UTC"}


def test_run_once_and_restarts_are_schedules_beside_the_others() -> None:
    definition = Definition(
        run_once_at=later(days=1), restart_interval="90", schedules=(Schedule(id="s", cron="@daily"),)
    )
    plans = plans_of_file("p", definition, at=NOON, before={})
    assert {name: plan.does for name, plan in plans.items()} == {"s": "run", "@once": "run", "@restart": "restart"}
    assert next_fire(plans["@once"].timetable, after=NOON) == later(days=1)
    assert next_fire(plans["@restart"].timetable, after=NOON) == later(seconds=90)
    nightly = plans_of_file("p", Definition(restart_interval="0 3 * * *"), at=NOON, before={})
    assert next_fire(nightly["@restart"].timetable, after=NOON) == later(hours=15)


def test_a_schedule_that_was_disabled_starts_anew() -> None:
    def said(*, enabled: bool) -> Definition:
        return Definition(interval_s=3600, enabled=enabled)

    off = plans_of_file("p", said(enabled=False), at=NOON, before={})
    on = plans_of_file("p", said(enabled=True), at=later(hours=5), before=off)
    assert on["default"].since == later(hours=5)


def test_setting_the_same_times_again_keeps_what_is_settled() -> None:
    fact = ScheduleSet(pipeline="p", name="x", interval_s=60)
    before = plan_of_api(fact, at=NOON, before=None, priority=2)
    again = plan_of_api(
        ScheduleSet(pipeline="p", name="x", interval_s=60, jitter_s=3), at=later(hours=1), before=before, priority=2
    )
    assert (again.since, again.timetable.anchor, again.jitter_s, again.priority) == (NOON, NOON, 3, 2)
    other = plan_of_api(
        ScheduleSet(pipeline="p", name="x", interval_s=61), at=later(hours=1), before=before, priority=2
    )
    assert other.since == later(hours=1)
