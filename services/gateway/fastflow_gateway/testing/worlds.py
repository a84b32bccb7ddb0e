"""Logs as they could be: runs of several pipelines in all states, and what is said beside them, in any order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from fastflow_events import subjects
from fastflow_events.aggregates.chain.events import ChainRemoved, ChainSet
from fastflow_events.aggregates.pipeline.events import PipelineChanged, PipelinePaused, PipelineRemoved, PipelineResumed
from fastflow_events.aggregates.queue.events import QueueLeased
from fastflow_events.aggregates.repository.events import RepositoryConfigured, RepositorySynced
from fastflow_events.aggregates.run.events import (
    RunDispatchWithdrawn,
    RunPrioritised,
    RunRejected,
    RunRetryScheduled,
    Trigger,
)
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.aggregates.schedule.events import SchedulePaused, ScheduleRemoved, ScheduleResumed, ScheduleSet
from fastflow_events.aggregates.setting.events import SettingsPaused, SettingsResumed
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    cancel_requested,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    specification,
)
from fastflow_events.testing.memory_log import MemoryLog
from hypothesis import strategies as st

Said: TypeAlias = tuple[str, str, Fact]
"""Aggregate, id and what is said of it."""
PIPELINES = ("hello", "other", "Nächtlicher Bericht")
COMMITS = ("c" * 40, "cafe" + "0" * 36, "7" * 40)
PEOPLE = ("ann", "bob")
STEP = timedelta(minutes=17)

_triggers = st.one_of(
    st.builds(Trigger, kind=st.sampled_from(["http", "nats", "cli"]), who=st.sampled_from(PEOPLE)),
    st.builds(Trigger, kind=st.just("schedule"), who=st.just("nightly"), schedule=st.just("hello:nightly")),
    st.builds(Trigger, kind=st.just("backfill"), who=st.just("ann"), backfill=st.sampled_from(["b1", "b2"])),
)
_requests = st.builds(
    run_requested,
    pipeline=st.sampled_from(PIPELINES),
    trigger=_triggers,
    commit=st.sampled_from(COMMITS),
    params=st.sampled_from([{}, {"day": "2026-03-01"}, {"shop": "Zürich West"}]),
    priority=st.integers(0, 2),
)
_dispatches = st.builds(
    lambda branch: run_dispatched(specification=specification(branch=branch)),
    st.sampled_from(["", "main", "next"]),
)
_failed = st.builds(
    lambda outcome, message: attempt_finished(
        outcome=outcome,
        exit_code=1,
        finished_at=NOON + timedelta(seconds=90),
        error=ScriptError(type="KeyError", message=message, file="main.py", line=4, log_line=2),
    ),
    st.sampled_from(["failed", "timed_out"]),
    st.sampled_from(["'sku'", "no such shop"]),
)


@st.composite
def _life(draw: st.DrawFn) -> list[Fact]:
    """What is said of one run, from its request to wherever it came."""
    good = attempt_finished(finished_at=NOON + timedelta(seconds=draw(st.sampled_from([1, 70, 4000]))))
    bad = draw(_failed)
    begun: list[Fact] = [draw(_requests), draw(_dispatches), run_claimed(), run_started()]
    whole = draw(
        st.sampled_from(
            [
                [*begun, good, run_finished()],
                [*begun, bad, run_finished(outcome=bad.outcome)],
                [
                    *begun,
                    bad,
                    RunRetryScheduled(attempt=2, due=NOON),
                    run_dispatched(2),
                    run_claimed(2),
                    run_started(2),
                ],
                [begun[0], RunRejected(reason="disabled", detail="it is off")],
                [
                    begun[0],
                    RunPrioritised(priority=3, who="ann"),
                    begun[1],
                    RunDispatchWithdrawn(attempt=1, reason="x"),
                ],
                [begun[0], cancel_requested(), run_finished(outcome="cancelled")],
            ]
        )
    )
    return whole[: draw(st.integers(1, len(whole)))]


_beside: st.SearchStrategy[Said] = st.one_of(
    st.builds(
        lambda name, tags, repository: (
            "pipeline",
            name,
            pipeline_discovered(repository=repository, definition={"tags": tags, "interval_s": 60.0}),
        ),
        st.sampled_from(PIPELINES),
        st.sampled_from([[], ["Daily"], ["daily", "shop"]]),
        st.sampled_from(["main", "second"]),
    ),
    st.builds(
        lambda name, fact: ("pipeline", name, fact),
        st.sampled_from(PIPELINES),
        st.sampled_from(
            [
                PipelinePaused(who="ann"),
                PipelineResumed(who="ann"),
                PipelineRemoved(repository="main", commit=COMMITS[0]),
                PipelineChanged(repository="main", commit=COMMITS[1], tree=COMMITS[1], definition={"tags": ["shop"]}),
            ]
        ),
    ),
    st.sampled_from(
        [
            ("schedule", "hello:api", ScheduleSet(pipeline="hello", name="api", cron="0 3 * * *", who="ann")),
            ("schedule", "hello:api", ScheduleRemoved(who="ann")),
            ("schedule", "hello:default", SchedulePaused(who="ann", why="a holiday")),
            ("schedule", "hello:default", ScheduleResumed(who="ann")),
            ("chain", "hello:other", ChainSet(upstream="hello", downstream="other")),
            ("chain", "hello:other", ChainRemoved(who="ann")),
            ("settings", "main", SettingsPaused(who="ann", why="stock-taking")),
            ("settings", "main", SettingsResumed(who="ann")),
            ("queue", "main", QueueLeased(term=1, leader="s1", max_running=4)),
            ("repository", "main", RepositoryConfigured(url="https://git.example/shop", branch="main")),
            ("repository", "main", RepositorySynced(commit=COMMITS[0], pipelines=2)),
        ]
    ),
)


@st.composite
def worlds(draw: st.DrawFn) -> list[Said]:
    """Everything that was said, in order."""
    lives = [
        [("run", f"{number:08x}-run", fact) for fact in draw(_life())] for number in range(draw(st.integers(1, 7)))
    ]
    lives += [[one] for one in draw(st.lists(_beside, max_size=8))]
    world: list[Said] = []
    while lives:
        life = lives[draw(st.integers(0, len(lives) - 1))]
        world.append(life.pop(0))
        lives = [each for each in lives if each]
    return world


async def log_of(world: Sequence[Said]) -> MemoryLog:
    """A log that holds all of it, a while between any two."""
    now = NOON

    def clock() -> datetime:
        return now

    log = MemoryLog(clock=clock)
    for aggregate, id, fact in world:
        now += STEP
        await log.append((await log.load(aggregate, id)).position, [fact], cause=CAUSE)
    return log


async def facts_of(log: MemoryLog) -> list[Recorded]:
    """Every fact of a log."""
    return [recorded async for recorded in log.read(subjects.EVENTS)]
