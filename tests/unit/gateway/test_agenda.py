"""Fires in both directions of time, as one list."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fastflow_events.testing.builders import NOON
from fastflow_gateway.core.agenda import FOLDED_ABOVE, MOST_OF_ONE, Fire, coming, folded
from fastflow_rules.queue.waits import PipelinePaused
from fastflow_rules.schedules.planned import PlannedSchedule
from fastflow_rules.schedules.timetable import Timetable
from hypothesis import given
from hypothesis import strategies as st

HOUR = timedelta(hours=1)
MOMENTS = st.integers(-600, 600).map(lambda minutes: NOON + timedelta(minutes=minutes))
FIRES = st.lists(
    st.tuples(MOMENTS, st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"])).map(lambda one: Fire(*one, "due")),
    max_size=60,
)
ZONES = st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin"])


@given(FIRES, ZONES)
def test_no_fire_is_lost_and_past_and_future_are_never_one_entry(fires: list[Fire], zone: str) -> None:
    entries = folded(fires, ZoneInfo(zone), NOON)
    assert sum(entry.count for entry in entries) == len(fires)
    assert all((entry.at > NOON) == (entry.last > NOON) for entry in entries)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    for entry in entries:
        assert entry.count == 1 or (entry.count > FOLDED_ABOVE and entry.last - entry.at < HOUR)
        assert sum(entry.counts.values()) == entry.count


def plan(name: str, **table: object) -> PlannedSchedule:
    return PlannedSchedule(pipeline="a", name=name, timetable=Timetable(**table), since=NOON)  # type: ignore[arg-type]


def test_what_is_to_come_ends_before_the_end_and_says_why_it_rests() -> None:
    plans = [plan("hourly", cron="0 * * * *"), plan("paused", cron="30 * * * *")]
    found = coming(plans, {"a:paused": PipelinePaused()}, NOON, NOON + 2 * HOUR)
    assert found.is_complete
    assert [(fire.at - NOON, fire.schedule, fire.what, fire.reason) for fire in found.fires] == [
        (HOUR, "hourly", "due", ""),
        (HOUR / 2, "paused", "paused", "the pipeline is paused"),
        (HOUR * 1.5, "paused", "paused", "the pipeline is paused"),
    ]


def test_a_flood_of_fires_is_cut_and_that_is_said() -> None:
    found = coming([plan("flood", interval_s=1.0, start=NOON)], {}, NOON, NOON + 24 * HOUR)
    assert (len(found.fires), found.is_complete) == (MOST_OF_ONE, False)


def test_fires_that_did_not_happen_keep_their_number_and_their_reason() -> None:
    missed = Fire(NOON - HOUR, "a", "x", "missed", number=7, last=NOON, reason="nobody was there")
    [entry] = folded([missed], ZoneInfo("UTC"), NOON + HOUR)
    assert (entry.count, entry.last, entry.reason, entry.counts) == (7, NOON, "nobody was there", {"missed": 7})


def test_instants_of_an_hour_that_comes_twice_are_not_told_together() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=NOON.tzinfo)
    fires = [Fire(first + timedelta(minutes=15 * number), "a", "x", "due") for number in range(8)]
    assert all(entry.last - entry.at < HOUR for entry in folded(fires, zone, NOON))
