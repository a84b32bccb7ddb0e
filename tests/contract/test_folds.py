"""Whatever is stored, every fold goes on behind it, and every reader answers or says that it cannot.

`FOLDS` is complete: a fold that is not named there fails a test of its own.
"""

import ast
import importlib
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.vocabulary import AGGREGATES
from fastflow_events.envelope import Reader, headers_of, subject_of
from fastflow_events.errors import ContractError, UntrustedError
from fastflow_events.execute import trusted_state
from fastflow_events.fact import BrokenFact, fact_name
from fastflow_events.nats.direct_get import Stored
from fastflow_events.nats.leases import read_heartbeat
from fastflow_events.output import decode_chunk, decode_sample
from fastflow_events.plain import fault_of, is_too_deep
from fastflow_events.recorded import Recorded
from fastflow_events.service.projection import Projection, apply_batch
from fastflow_events.service.store import Store, open_store
from fastflow_events.testing.builders import CAUSE, NOON, run_requested
from fastflow_events.testing.memory_log import MemoryLog
from fastflow_gateway.adapters.projection import SCHEMA as ROWS
from fastflow_gateway.adapters.projection import RowProjection
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.dead_letters import read_letter
from fastflow_gateway.core.responses.facts import show_fact
from fastflow_gateway.core.views import runs as run_view
from fastflow_git_sync.adapters import schema
from fastflow_git_sync.adapters.pipelines import PipelineRows
from fastflow_git_sync.adapters.repositories import RepositoryRows
from fastflow_rules.definition import from_fact, parse
from fastflow_runner.adapters.claims_store import SCHEMA as CLAIMS
from fastflow_runner.adapters.claims_store import ClaimsProjection
from fastflow_runner.adapters.heads import SCHEMA as HEADS
from fastflow_runner.adapters.heads import Heads
from fastflow_runner.core.outcome import result_of
from fastflow_runner.loops import code_gc
from fastflow_runner.loops.code_gc import ExpiredCode
from fastflow_runner.ports import Exit
from fastflow_scheduler.adapters.state_store import SCHEMA as BOOK
from fastflow_scheduler.adapters.state_store import StateProjection
from fastflow_scheduler.core.state import SchedulerState
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
SAMPLES = [json.loads(file.read_text()) for file in sorted((ROOT / "proto" / "samples").glob("*.json"))]


class NoDisk:
    """An engine that holds no code."""

    async def delete_code(self, trees: Sequence[str]) -> None:
        """Nothing to delete."""


FOLDS: dict[type, tuple[str, Callable[[Store], Projection]]] = {
    RowProjection: (ROWS, lambda store: RowProjection(store, Changes())),
    StateProjection: (BOOK, lambda store: StateProjection(store, SchedulerState())),
    ClaimsProjection: (CLAIMS, lambda store: ClaimsProjection(store, lambda _: None, lambda _: None)),
    PipelineRows: (schema.PIPELINES, PipelineRows),
    RepositoryRows: (schema.REPOSITORIES, RepositoryRows),
    Heads: (HEADS, Heads),
    ExpiredCode: (code_gc.SCHEMA, lambda _: ExpiredCode(NoDisk())),  # type: ignore[arg-type]
}
"""Every fold there is, with the schema of its store."""

ODD_TIMES = ["", "x", "2026-03-01T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "10000-01-01"]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 2**31, 2**53, 2**63, 2**64, 10**30, -(2**63) - 1, 1e308, -0.0]),
    st.sampled_from(["", "\x00", "a" * 5_000, "é.>*", "\ufffd", "../..", "$result.a.a", "0 3 * * *", "Nowhere/Atall"]),
    st.sampled_from(ODD_TIMES),
    st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
    st.just([]),
    st.just({}),
    st.sampled_from([70, 127, 500, 1_100]).map(lambda depth: _Deep(depth)),  # noqa: PLW0108 - it stands below
    st.recursive(
        st.integers(), lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3)
    ),
)


class _Deep(str):
    """JSON that nests deeply, kept as text until it is written: Python's own encoder would not do it."""

    def __new__(cls, depth: int) -> "_Deep":
        return super().__new__(cls, '{"a":' * depth + "1" + "}" * depth)


def written(value: Any) -> bytes:
    """JSON text, with deep values in their places."""
    deep: list[str] = []

    def known(each: Any) -> Any:
        match each:
            case _Deep():
                deep.append(str(each))
                return f"@@{len(deep) - 1}@@"
            case dict():
                return {name: known(member) for name, member in each.items()}
            case list():
                return [known(member) for member in each]
            case _:
                return each

    text = json.dumps(known(value))
    for number, nested in enumerate(deep):
        text = text.replace(f'"@@{number}@@"', nested)
    return text.encode()


@st.composite
def stored(draw: st.DrawFn) -> tuple[str, dict[str, str], bytes]:
    """A fact of this release with something about it that is not as it should be."""
    sample = draw(st.sampled_from(SAMPLES))
    subject, headers, body = sample["subject"], dict(sample["headers"]), json.loads(json.dumps(sample["body"]))
    match draw(st.sampled_from(["header", "no header", "time", "member", "within", "gone", "bytes", "good"])):
        case "header":
            headers[draw(st.sampled_from(sorted(headers)))] = draw(
                st.text(max_size=20) | st.sampled_from(["%ff", "/", "run/x/99999999999999999999"])
            )
        case "no header":
            del headers[draw(st.sampled_from(sorted(headers)))]
        case "time":
            headers["ce-time"] = draw(st.sampled_from(ODD_TIMES))
        case "member" if body:
            body[draw(st.sampled_from(sorted(body)))] = draw(ODD)
        case "within" if any(isinstance(member, dict) and member for member in body.values()):
            name = draw(
                st.sampled_from([n for n, member in sorted(body.items()) if isinstance(member, dict) and member])
            )
            body[name][draw(st.sampled_from([*sorted(body[name]), "new"]))] = draw(ODD)
        case "gone" if body:
            del body[draw(st.sampled_from(sorted(body)))]
        case "bytes":
            return (
                subject,
                headers,
                draw(st.binary(max_size=50) | st.sampled_from([b"[" * 70_000, b'{"a":' * 1_000, b'"' * 9_999])),
            )
        case _:
            pass
    return subject, headers, written(body)


async def _good(log: MemoryLog) -> None:
    for number, sample in enumerate(SAMPLES):
        aggregate, _, _ = sample["headers"]["ce-subject"].partition("/")
        name = fact_name(sample["headers"]["ce-type"])
        parts = sample["subject"].split(".")
        headers = sample["headers"] | {"ce-subject": f"{aggregate}/good-{number}"}
        subject = ".".join([*parts[:2], aggregate, f"good-{number}", name, *parts[5:]])
        await log.put(subject, headers, json.dumps(sample["body"]).encode())


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.__name__)
@settings(max_examples=60)
@given(junk=st.lists(stored(), min_size=1, max_size=12))
async def test_no_fact_stops_a_fold(fold: type, junk: list[tuple[str, dict[str, str], bytes]]) -> None:
    schema_of, make = FOLDS[fold]
    log = MemoryLog()
    for subject, headers, body in junk:
        await log.put(subject, headers, body)
    await _good(log)
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(Path(folder) / "x.db", schema_of) as store:
            projection = make(store)
            batch = [recorded async for recorded in log.read(projection.subject)]
            await apply_batch(log.doubts, store, projection, batch)
            assert await store.checkpoint() == batch[-1].seq
            found = await store.aside()
    aside = {fact.seq for fact in found}
    # The samples are facts of many runs, each alone: nobody holds what they are of.
    assert all(fact.seq <= len(junk) for fact in found if not fact.foreign), (
        "a good fact was set aside with the bad ones"
    )
    for recorded in batch:
        assert recorded.seq in aside or not isinstance(recorded.fact, BrokenFact)


@settings(max_examples=200)
@given(stored())
async def test_every_reader_answers_whatever_is_stored(message: tuple[str, dict[str, str], bytes]) -> None:
    log = MemoryLog()
    await log.put(*message)
    [recorded] = [found async for found in log.read(subjects.EVENTS)]
    msgspec.json.encode(show_fact(recorded))
    run_view.fold([recorded])
    history = await log.load(recorded.aggregate, recorded.id)
    assert history.position.seq == 1, "whoever appends knows where"


@settings(max_examples=300)
@given(
    st.binary(max_size=200)
    | ODD.map(written)
    | st.dictionaries(
        st.sampled_from(["runner", "incarnation", "engine", "executor", "slots", "pools", "at"]), ODD
    ).map(written)
)
def test_every_reader_of_bytes_refuses_or_reads(data: bytes) -> None:
    for read in READERS:
        try:
            read(data)
        except (ContractError, UntrustedError):
            continue


def _decoded(data: bytes) -> Any:
    return None if is_too_deep(data) else fault_of(data)


READERS: list[Callable[[bytes], Any]] = [
    lambda data: Reader().read(1, "fastflow.evt.run.r1.requested", {}, data),
    lambda data: read_heartbeat(Stored(1, "$KV.fastflow-runners.r1", {}, data)),
    decode_chunk,
    decode_sample,
    lambda data: read_letter(1, "gateway", {"Fastflow-Verdict": data.decode(errors="replace")}, data, None),
    lambda data: read_letter(1, "gateway", {"Fastflow-Verdict": "retried", "Fastflow-Letter": "9" * 5_000}, data, None),
    lambda data: parse(data, folder="x"),
    lambda data: result_of(Exit(exit_code=0, result=data.decode(errors="replace"))),
    lambda data: from_fact({"kind": data.decode(errors="replace"), "schedules": 1}),
    _decoded,
]


def test_every_fold_is_named_here() -> None:
    """A fold is a class of a service with a `subject` that is folded with `apply`."""
    found = set()
    for file in sorted((ROOT / "services").glob("*/fastflow_*/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                methods = {each.name for each in node.body if isinstance(each, ast.AsyncFunctionDef | ast.FunctionDef)}
                names = {
                    t.id for a in node.body if isinstance(a, ast.Assign) for t in a.targets if isinstance(t, ast.Name)
                }
                if "apply" in methods and "subject" in names:
                    found.add(node.name)
    assert found == {fold.__name__ for fold in FOLDS}


def test_every_rule_folds_every_fact_of_its_kind_and_of_others() -> None:
    """A decider's `evolve` is total: it takes facts that nobody could have appended."""
    deciders = _deciders()
    assert {decider.aggregate for decider in deciders} == AGGREGATES.keys() - {"queue"}
    reader = Reader()
    facts = [reader.recorded(1, s["subject"], s["headers"], json.dumps(s["body"]).encode()).fact for s in SAMPLES]
    broken = BrokenFact(wire_type="run.requested.?", body=b"", reason="junk")
    for decider in deciders:
        decider.fold([broken, *facts, *reversed(facts), broken])


def _deciders() -> list[Any]:
    names = [module.__name__.replace(".events", ".decider") for kind, module in AGGREGATES.items() if kind != "queue"]
    modules = [importlib.import_module(name) for name in names]
    return [value for module in modules for name, value in vars(module).items() if name.endswith("_decider")]


async def test_a_rule_that_raises_all_the_same_makes_its_aggregate_untrusted() -> None:
    log = MemoryLog()
    recorded = Recorded(
        seq=0, aggregate="run", id="r1", version=1, at=NOON, source="/t", cause=CAUSE, fact=run_requested()
    )
    await log.put(subject_of(recorded), headers_of(recorded), msgspec.json.encode(recorded.fact))

    class Raising:
        """Folds nothing."""

        aggregate = "run"

        def fold(self, _: object) -> object:
            raise RecursionError("too deep")

    with pytest.raises(UntrustedError, match="RecursionError"):
        trusted_state(log, Raising(), await log.load("run", "r1"))  # type: ignore[arg-type]
    assert "cannot be folded" in log.doubts.why("run", "r1")
