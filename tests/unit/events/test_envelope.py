"""The envelope is CloudEvents; the body is the fact alone; old versions are read for ever."""

import json
from typing import Any

import pytest
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.envelope import Reader, body_of, headers_of, subject_of
from fastflow_events.errors import ContractError
from fastflow_events.execute import execute
from fastflow_events.fact import UnknownFact, wire_types
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.testing.builders import CAUSE, COMMIT, NOON, run_claimed, run_requested, version_stored
from fastflow_events.testing.memory_log import MemoryLog

RECORDED = Recorded(
    seq=7,
    aggregate="pipeline",
    id='täglich "2.0" 100%',
    version=3,
    at=NOON,
    source="/fastflow/git_sync/host 1",
    cause=Cause(correlation_id="c", causation_id="repository/main/1"),
    fact=version_stored(),
)


def read(reader: Reader, recorded: Recorded) -> Recorded:
    return reader.recorded(recorded.seq, subject_of(recorded), headers_of(recorded), body_of(recorded.fact))


def run_requested_v0(body: dict[str, Any]) -> dict[str, Any]:
    return {"pipeline": body["name"], "trigger": {"kind": "http"}, "commit": body["commit"]}


OLDER = Reader({"run.requested.v0": ("run.requested.v1", run_requested_v0)})


def test_a_fact_survives_the_journey_whatever_its_aggregate_is_called() -> None:
    assert read(Reader(), RECORDED) == RECORDED


def test_headers_are_printable_and_name_the_fact() -> None:
    headers = headers_of(RECORDED)
    assert all(value.isascii() and value.isprintable() and "\n" not in value for value in headers.values())
    assert headers["ce-type"] == "pipeline.version_stored.v1"
    assert headers["ce-time"] == "2026-03-01T12:00:00Z"
    assert headers["ce-specversion"] == "1.0"


def test_the_body_holds_neither_type_nor_id() -> None:
    body = json.loads(body_of(run_claimed()))
    assert sorted(body) == ["attempt", "engine", "heir", "incarnation", "runner"]


def test_every_fact_has_a_wire_name_of_its_aggregate_and_version() -> None:
    for name in wire_types():
        aggregate, fact, version = name.split(".")
        assert aggregate.isidentifier()
        assert fact.isidentifier()
        assert version.startswith("v")


def test_an_older_version_is_read_as_todays() -> None:
    headers = headers_of(RECORDED) | {"ce-type": "run.requested.v0", "ce-subject": "run/r1", "ce-id": "run/r1/1"}
    body = json.dumps({"name": "hello", "commit": COMMIT}).encode()
    recorded = OLDER.recorded(1, "fastflow.evt.run.r1.requested", headers, body)
    assert recorded.fact == RunRequested(pipeline="hello", trigger=Trigger(kind="http"), commit=COMMIT)


def test_unknown_fields_are_stepped_over() -> None:
    recorded = Recorded(
        seq=1, aggregate="run", id="r", version=1, at=NOON, source="/s", cause=CAUSE, fact=run_claimed()
    )
    body = json.dumps(json.loads(body_of(recorded.fact)) | {"colour": "red"}).encode()
    assert Reader().recorded(1, subject_of(recorded), headers_of(recorded), body) == recorded


def test_a_fact_of_a_newer_release_is_kept_as_it_is() -> None:
    newer = UnknownFact(wire_type="run.teleported.v1", body=b'{"to":"mars"}')
    recorded = Recorded(seq=1, aggregate="run", id="r", version=1, at=NOON, source="/s", cause=CAUSE, fact=newer)
    assert read(Reader(), recorded) == recorded


async def test_nobody_decides_on_facts_they_do_not_know() -> None:
    log = MemoryLog()
    newer = UnknownFact(wire_type="run.teleported.v1", body=b"{}")
    position = (await log.load("run", "r1")).position
    await log.append(position, [run_requested(), newer], cause=CAUSE)
    with pytest.raises(ContractError, match="newer release"):
        await execute(log, run_decider, "r1", RequestCancel(who="ann"), cause=CAUSE)


@pytest.mark.parametrize(
    "change",
    [
        {"ce-type": "run.claimed.v1"},
        {"ce-subject": "run/other"},
        {"ce-subject": "nonsense"},
        {"ce-id": "run/r1/x"},
        {"ce-time": "yesterday"},
    ],
)
def test_an_envelope_that_does_not_fit_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ContractError):
        Reader().recorded(1, subject_of(RECORDED), headers_of(RECORDED) | change, body_of(RECORDED.fact))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"attempt":"one"}', b"\xff"])
def test_a_body_that_does_not_fit_is_refused(body: bytes) -> None:
    recorded = Recorded(
        seq=1, aggregate="run", id="r", version=1, at=NOON, source="/s", cause=CAUSE, fact=run_claimed()
    )
    with pytest.raises(ContractError):
        Reader().recorded(1, subject_of(recorded), headers_of(recorded), body)
