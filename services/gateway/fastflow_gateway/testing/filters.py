"""Whatever may be asked about the runs of `worlds`."""

from datetime import timedelta
from typing import get_args

from fastflow_events.testing.builders import NOON
from fastflow_events.types import Outcome
from hypothesis import strategies as st

from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.run_row import RunStatus
from fastflow_gateway.testing.worlds import COMMITS, PEOPLE, PIPELINES, STEP


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    """None of them mostly, else one or several."""
    return st.just(()) | st.lists(st.sampled_from(values), unique=True, max_size=3).map(tuple)


FILTERS = st.builds(
    RunFilter,
    pipelines=some(*PIPELINES, "nobody's"),
    statuses=some(*get_args(RunStatus)),
    outcomes=some(*get_args(Outcome)),
    triggers=some("http", "nats", "schedule", "backfill"),
    tags=some("daily", "Shop", "none"),
    repositories=some("main", "second"),
    commits=some("cccc", "cafe0", COMMITS[2], "dddd"),
    schedules=some("hello:nightly", "none"),
    backfills=some("b1", "b2"),
    who=some(*PEOPLE, "nightly"),
    runners=some("runner-1", "none"),
    branches=some("main", "next"),
    since=st.none() | st.integers(0, 60).map(lambda n: NOON + n * STEP),
    until=st.none() | st.integers(0, 60).map(lambda n: NOON + n * STEP + timedelta(seconds=1)),
    longer_than_s=st.none() | st.sampled_from([0.0, 1.0, 60.0]),
    is_open=st.sampled_from([None, None, True, False]),
    q=st.just("")
    | st.sampled_from(["day", "2026 03", "zurich we", "KeyError", "sku", "tax", "00000001", "zzz", "hello"]),
)
