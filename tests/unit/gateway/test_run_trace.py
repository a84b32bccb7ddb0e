"""One trace of each run follows from its facts, and from nothing else."""

from datetime import datetime, timedelta

import msgspec
from fastflow_events.aggregates.run.events import Trigger
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.fact import Fact
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.testing.builders import (
    NOON,
    attempt_finished,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    second_attempt,
)
from fastflow_gateway.core.otlp import encode
from fastflow_gateway.core.run_trace import root_of, spans_of

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def history(*facts: tuple[float, Fact], traceparent: str | None = None) -> list[Recorded]:
    cause = Cause(correlation_id="c", traceparent=traceparent)
    return [
        Recorded(seq=n, aggregate="run", id="r1", version=n, at=at(seconds), source="/t", cause=cause, fact=fact)
        for n, (seconds, fact) in enumerate(facts, start=1)
    ]


def well(traceparent: str | None = None, **more: object) -> list[Recorded]:
    manifest = Manifest(executor="process", container="c1", prepare_s=2.0, environment="e1")
    return history(
        (0, run_requested(**more)),
        (1, run_dispatched()),
        (2, run_claimed()),
        (6, run_started(manifest=manifest, started_at=at(5))),
        (9, attempt_finished(finished_at=at(8))),
        (9.5, run_finished()),
        traceparent=traceparent,
    )


def test_a_run_that_went_well_has_its_parts_side_by_side() -> None:
    whole, *parts = spans_of(well())
    assert (whole.name, whole.since, whole.until, whole.parent, whole.failed) == ("run hello", at(0), at(9.5), None, "")
    assert [(part.name, part.since, part.until) for part in parts] == [
        ("queued", at(0), at(2)),
        ("environment", at(2), at(4)),
        ("start", at(4), at(5)),
        ("run", at(5), at(8)),
        ("collect", at(8), at(9)),
    ]
    assert {part.parent for part in parts} == {whole.place.span}
    assert len({span.place for span in (whole, *parts)}) == 6


def test_the_same_facts_make_the_same_trace_and_another_run_another() -> None:
    assert spans_of(well()) == spans_of(well())
    assert root_of("r1", None) != root_of("r2", None)


def test_a_trace_that_a_caller_began_is_continued() -> None:
    whole = spans_of(well(CALLER))[0]
    assert (whole.place.trace, whole.parent) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    for nothing in ("", "00-1", f"00-{'0' * 32}-{'0' * 16}-01", f"{CALLER}\n"):
        assert root_of("r1", nothing) == root_of("r1", None)


def test_a_run_of_a_chain_is_linked_to_those_it_follows() -> None:
    trigger = Trigger(kind="chain", who="", upstream_run="a", upstream_runs=("a", "b"))
    assert spans_of(well(trigger=trigger))[0].links == (root_of("a", None), root_of("b", None))


def test_every_attempt_has_its_own_parts_and_says_what_failed() -> None:
    story = history(
        (0, run_requested()),
        (1, run_dispatched()),
        (2, run_claimed()),
        (3, run_started(started_at=at(3))),
        *((float(n), fact) for n, fact in enumerate(second_attempt(), start=4)),
        (20, attempt_finished(2, outcome="failed", exit_code=3)),
        (21, run_finished(outcome="failed", attempt=2)),
    )
    whole, *parts = spans_of(story)
    assert whole.failed == "failed"
    assert [(part.name, part.attributes["fastflow.attempt"]) for part in parts if part.name == "run"] == [
        ("run", 1),
        ("run", 2),
    ]
    assert [part.failed for part in parts if part.name == "run"] == ["failed", "failed"]
    assert all(part.since <= part.until for part in parts)


def test_a_run_that_is_not_over_has_no_trace_yet() -> None:
    assert spans_of(well()[:-1]) == []
    assert spans_of([]) == []


def test_what_is_exported_is_otlp() -> None:
    body = msgspec.json.decode(encode(spans_of(well(CALLER)), service="fastflow"))
    [resource] = body["resourceSpans"]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "fastflow"}}]
    first, queued, *_ = resource["scopeSpans"][0]["spans"]
    assert first["parentSpanId"] == "b7ad6b7169203331"
    assert (len(first["traceId"]), len(first["spanId"]), first["status"]) == (32, 16, {"code": 1})
    assert int(queued["endTimeUnixNano"]) - int(queued["startTimeUnixNano"]) == 2_000_000_000
