"""The rules of schedules, chains, backfills and of the whole installation."""

from datetime import UTC, datetime, timedelta

import pytest
from fastflow_events.aggregates.backfill.commands import CancelBackfill, RequestBackfill
from fastflow_events.aggregates.backfill.decider import backfill_decider
from fastflow_events.aggregates.backfill.events import BackfillCancelled, BackfillRequested
from fastflow_events.aggregates.chain.commands import RemoveChain, SetChain
from fastflow_events.aggregates.chain.decider import ChainExistsError, chain_decider
from fastflow_events.aggregates.chain.events import ChainRemoved, ChainSet
from fastflow_events.aggregates.repository.commands import CompleteSync, ReportOverdue
from fastflow_events.aggregates.repository.decider import repository_decider
from fastflow_events.aggregates.repository.events import RepositoryOverdue, RepositorySynced
from fastflow_events.aggregates.schedule.commands import (
    PauseSchedule,
    RemoveSchedule,
    ResumeSchedule,
    SetSchedule,
    SettleFires,
)
from fastflow_events.aggregates.schedule.decider import schedule_decider
from fastflow_events.aggregates.schedule.events import (
    ScheduleFireMissed,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSet,
)
from fastflow_events.aggregates.setting.commands import PauseEverything, ResumeEverything
from fastflow_events.aggregates.setting.decider import setting_decider
from fastflow_events.aggregates.setting.events import SettingsPaused, SettingsResumed
from fastflow_events.errors import NotFoundError
from fastflow_events.ids import (
    chain_id,
    run_id_of_backfill,
    run_id_of_chain,
    run_id_of_fan_in,
    run_id_of_fire,
    run_id_of_restart,
    schedule_id,
)
from fastflow_events.message import Verbatim
from fastflow_events.subjects import encode
from fastflow_events.testing.builders import COMMIT, NOON

HOURLY = ScheduleSet(pipeline="hello", name="hourly", cron="0 * * * *", who="ann")
EDGE = ChainSet(upstream="a", downstream="b", who="ann")
BACKFILL = BackfillRequested(pipeline="hello", schedule="hello:hourly", instants=(NOON,))


def missed(last: datetime) -> ScheduleFireMissed:
    return ScheduleFireMissed(pipeline="hello", first=NOON, last=last, count=1, reason="nobody was there")


def test_setting_the_same_times_again_says_nothing_whoever_does_it() -> None:
    again = SetSchedule(schedule=ScheduleSet(pipeline="hello", name="hourly", cron="0 * * * *", who="bob"))
    assert schedule_decider.decide(again, schedule_decider.fold([HOURLY])) == []
    other = SetSchedule(schedule=ScheduleSet(pipeline="hello", name="hourly", cron="5 * * * *"))
    assert schedule_decider.decide(other, schedule_decider.fold([HOURLY])) == [other.schedule]


def test_a_schedule_that_only_a_file_speaks_of_can_be_paused_but_not_removed() -> None:
    nothing = schedule_decider.initial
    paused = schedule_decider.decide(PauseSchedule(who="ann"), nothing)
    assert paused == [SchedulePaused(who="ann")]
    assert schedule_decider.decide(PauseSchedule(who="bob"), schedule_decider.fold(paused)) == []
    assert schedule_decider.decide(ResumeSchedule(who="ann"), schedule_decider.fold(paused)) == [
        ScheduleResumed(who="ann")
    ]
    assert schedule_decider.decide(ResumeSchedule(who="ann"), nothing) == []
    with pytest.raises(NotFoundError):
        schedule_decider.decide(RemoveSchedule(who="ann"), nothing)
    assert schedule_decider.decide(RemoveSchedule(who="ann"), schedule_decider.fold([HOURLY])) == [
        ScheduleRemoved(who="ann")
    ]


def test_a_fire_that_did_not_happen_is_told_once() -> None:
    found = schedule_decider.fold([missed(NOON)])
    assert schedule_decider.decide(SettleFires(fires=missed(NOON)), found) == []
    later = missed(NOON + timedelta(hours=1))
    assert schedule_decider.decide(SettleFires(fires=later), found) == [later]


def test_a_chain_is_set_once_and_must_be_removed_before_it_is_changed() -> None:
    chain = chain_decider.fold([EDGE])
    assert chain_decider.decide(SetChain(chain=ChainSet(upstream="a", downstream="b")), chain) == []
    with pytest.raises(ChainExistsError):
        chain_decider.decide(SetChain(chain=ChainSet(upstream="a", downstream="b", on_failure=True)), chain)
    assert chain_decider.decide(RemoveChain(who="ann"), chain) == [ChainRemoved(who="ann")]
    with pytest.raises(NotFoundError):
        chain_decider.decide(RemoveChain(who="ann"), chain_decider.fold([EDGE, ChainRemoved(who="ann")]))


def test_a_backfill_is_asked_for_once_and_cancelled_once() -> None:
    asked = backfill_decider.fold([BACKFILL])
    assert backfill_decider.decide(RequestBackfill(request=BACKFILL), asked) == []
    assert backfill_decider.decide(CancelBackfill(who="ann"), asked) == [BackfillCancelled(who="ann")]
    over = backfill_decider.fold([BACKFILL, BackfillCancelled(who="ann")])
    assert backfill_decider.decide(CancelBackfill(who="ann"), over) == []
    with pytest.raises(NotFoundError):
        backfill_decider.decide(CancelBackfill(who="ann"), backfill_decider.initial)


def test_everything_is_paused_once() -> None:
    paused = setting_decider.decide(PauseEverything(who="ann"), setting_decider.initial)
    assert paused == [SettingsPaused(who="ann")]
    assert setting_decider.decide(PauseEverything(who="bob"), setting_decider.fold(paused)) == []
    assert setting_decider.decide(ResumeEverything(who="ann"), setting_decider.fold(paused)) == [
        SettingsResumed(who="ann")
    ]


def test_an_overdue_repository_is_told_once_and_the_next_sync_is_news() -> None:
    synced = RepositorySynced(commit=COMMIT)
    report = ReportOverdue(since=NOON, reason=Verbatim("nothing was heard for an hour"))
    [overdue] = repository_decider.decide(report, repository_decider.fold([synced]))
    assert isinstance(overdue, RepositoryOverdue)
    state = repository_decider.fold([synced, overdue])
    assert repository_decider.decide(report, state) == []
    assert repository_decider.decide(CompleteSync(commit=COMMIT), state) != []
    assert repository_decider.decide(CompleteSync(commit=COMMIT), repository_decider.fold([synced])) == []


def test_every_asker_has_ids_of_its_own_and_an_instant_reads_the_same_in_every_zone() -> None:
    there = NOON.astimezone(tz=None)
    ids = [
        run_id_of_fire("a", "b", NOON),
        run_id_of_fire("a", "b", NOON + timedelta(seconds=1)),
        run_id_of_backfill("a", NOON),
        run_id_of_chain("a", "b", None),
        run_id_of_chain("a", "b", "c"),
        run_id_of_fan_in("a", None, ["b"]),
        run_id_of_restart("a"),
        chain_id("a", "b", None),
    ]
    assert len(set(ids)) == len(ids)
    assert run_id_of_fire("a", "b", there) == run_id_of_fire("a", "b", datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert run_id_of_fan_in("a", None, ["x", "y"]) == run_id_of_fan_in("a", None, ["y", "x"])


def test_the_id_of_a_schedule_is_readable_and_always_fits_a_subject() -> None:
    assert schedule_id("sales", "nightly") == "sales:nightly"
    long = schedule_id("ü" * 30, "nightly ü" * 10)
    assert encode(long) == long
