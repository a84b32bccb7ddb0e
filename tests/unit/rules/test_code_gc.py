"""Stored code goes when nothing needs it any more, and never before."""

from datetime import UTC, datetime, timedelta

from fastflow_events.aggregates.pipeline.events import (
    PipelineBundleExpired,
    PipelineDiscovered,
    PipelineInvalid,
    PipelineRemoved,
    PipelineVersionStored,
)
from fastflow_events.aggregates.run.events import RunDispatched, RunFinished
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import CAUSE, run_requested, specification
from fastflow_rules.code_gc import Stored, Version
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD, NEW = "1" * 40, "2" * 40
C_OLD, C_NEW = "a" * 40, "b" * 40


def stored(commit: str, tree: str) -> PipelineVersionStored:
    return PipelineVersionStored(
        repository="main", commit=commit, tree=tree, definition={}, bundle_sha256="f" * 64, bundle_bytes=9
    )


def head(tree: str) -> PipelineDiscovered:
    return PipelineDiscovered(repository="main", commit=C_NEW, tree=tree, definition={})


def fold(*facts: tuple[str, str, Fact, int]) -> Stored:
    """Facts as aggregate, id, fact, days ago."""
    history = [
        Recorded(
            seq=n,
            aggregate=aggregate,
            id=id,
            version=n,
            at=NOW - timedelta(days=days),
            source="x",
            cause=CAUSE,
            fact=fact,
        )
        for n, (aggregate, id, fact, days) in enumerate(facts, start=1)
    ]
    return Stored(keep_since=NOW - timedelta(days=30)).fold(history)


BEFORE: list[tuple[str, str, Fact, int]] = [
    ("pipeline", "p", stored(C_OLD, OLD), 90),
    ("pipeline", "p", stored(C_NEW, NEW), 60),
    ("pipeline", "p", head(NEW), 60),
]
ASKED = run_requested(pipeline="p", commit=C_OLD)
DISPATCHED = RunDispatched(
    attempt=1, pool="default", term=1, specification=replace(specification(), commit=C_OLD, tree=OLD)
)
FINISHED = RunFinished(outcome="succeeded")


def test_what_no_head_and_no_run_needs_is_expired() -> None:
    assert fold(*BEFORE).unneeded() == [Version("p", OLD)]


def test_what_was_stored_lately_stays() -> None:
    assert fold(("pipeline", "p", stored(C_OLD, OLD), 5)).unneeded() == []


def test_an_open_run_keeps_its_code_however_old_it_is() -> None:
    for facts in ([ASKED], [ASKED, DISPATCHED]):
        assert fold(*BEFORE, *(("run", "r", fact, 80) for fact in facts)).unneeded() == []


def test_a_run_that_ended_lately_keeps_its_code_and_one_that_ended_long_ago_does_not() -> None:
    run: list[tuple[str, str, Fact, int]] = [("run", "r", ASKED, 80), ("run", "r", DISPATCHED, 80)]
    assert fold(*BEFORE, *run, ("run", "r", FINISHED, 10)).unneeded() == []
    assert fold(*BEFORE, *run, ("run", "r", FINISHED, 40)).unneeded() == [Version("p", OLD)]


def test_an_invalid_head_is_a_head_and_a_removed_one_is_none() -> None:
    broken = PipelineInvalid(repository="main", commit=C_OLD, tree=OLD, errors=("no",))
    assert fold(*BEFORE, ("pipeline", "p", broken, 50)).unneeded() == [Version("p", NEW)]
    removed = PipelineRemoved(repository="main", commit=C_OLD)
    assert fold(*BEFORE, ("pipeline", "p", removed, 50)).unneeded() == [Version("p", OLD), Version("p", NEW)]


def test_a_tree_is_deleted_only_when_every_pipeline_that_has_it_gave_it_up_long_enough_ago() -> None:
    expired = PipelineBundleExpired(tree=OLD)
    other: tuple[str, str, Fact, int] = ("pipeline", "q", stored(C_OLD, OLD), 90)
    hour_ago, now = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    assert fold(*BEFORE, ("pipeline", "p", expired, 1)).deletable(expired_before=hour_ago) == {OLD}
    assert fold(*BEFORE, ("pipeline", "p", expired, 0)).deletable(expired_before=hour_ago) == set()
    assert fold(*BEFORE, ("pipeline", "p", expired, 1), other).deletable(expired_before=now) == set()
    again = fold(*BEFORE, ("pipeline", "p", expired, 2), ("pipeline", "p", stored(C_OLD, OLD), 1))
    assert again.deletable(expired_before=now) == set()


def test_a_run_that_asks_after_the_announcement_keeps_the_code() -> None:
    expired: tuple[str, str, Fact, int] = ("pipeline", "p", PipelineBundleExpired(tree=OLD), 2)
    assert fold(*BEFORE, expired, ("run", "r", ASKED, 1)).deletable(expired_before=NOW) == set()


_FACTS: list[tuple[str, str, Fact]] = [
    ("pipeline", "p", stored(C_OLD, OLD)),
    ("pipeline", "p", stored(C_NEW, NEW)),
    ("pipeline", "p", head(OLD)),
    ("pipeline", "p", head(NEW)),
    ("pipeline", "p", PipelineRemoved(repository="main", commit=C_OLD)),
    ("pipeline", "p", PipelineBundleExpired(tree=OLD)),
    ("pipeline", "p", PipelineBundleExpired(tree=NEW)),
    ("run", "r", ASKED),
    ("run", "r", DISPATCHED),
    ("run", "r", FINISHED),
]


@example([("pipeline", "p", PipelineBundleExpired(tree=OLD)), *(("run", "r", f) for f in (ASKED, DISPATCHED, ASKED))])
@given(st.lists(st.sampled_from(_FACTS), max_size=25))
def test_whatever_happened_the_head_and_open_runs_keep_their_code(steps: list[tuple[str, str, Fact]]) -> None:
    state = fold(*((aggregate, id, fact, 60) for aggregate, id, fact in steps))
    gone = {version.tree for version in state.unneeded()} | state.deletable(expired_before=NOW)
    heads = [fact for _, _, fact in steps if isinstance(fact, PipelineDiscovered | PipelineRemoved)]
    if heads and isinstance(heads[-1], PipelineDiscovered):
        assert heads[-1].tree not in gone
    runs = [fact for aggregate, _, fact in steps if aggregate == "run"]
    if runs[:1] == [ASKED] and DISPATCHED in runs and FINISHED not in runs:
        assert OLD not in gone
