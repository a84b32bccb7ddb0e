"""Whatever somebody with a runner's key says of an attempt that he does not hold, it is as if he had said nothing."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from fastflow_events.aggregates.run.commands import AdoptAttempt, ClaimAttempt, RequestCancel, RunCommand
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunFact,
)
from fastflow_events.aggregates.run.judging import judge
from fastflow_events.aggregates.run.state import HELD, RUNNER_FACTS, Run, counts, heir_of
from fastflow_events.doubts import Doubts
from fastflow_events.envelope import Reader, body_of, headers_of, subject_of
from fastflow_events.errors import DomainError, FencedError, NewerReleaseError
from fastflow_events.execute import execute, trusted_state
from fastflow_events.fact import BrokenFact, Fact, ForeignFact, fact_name
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.projection import Projection, apply_batch
from fastflow_events.service.store import Store, open_store
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    holder,
    run_claimed,
    run_dispatched,
    run_requested,
)
from fastflow_events.testing.memory_log import MemoryLog
from fastflow_events.testing.run_stories import THIEF, commands, lies, stories, told
from fastflow_gateway.adapters.projection import SCHEMA as ROWS
from fastflow_gateway.adapters.projection import RowProjection
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.responses.facts import show_fact
from fastflow_runner.adapters.claims_store import SCHEMA as CLAIMS
from fastflow_runner.adapters.claims_store import ClaimsProjection
from fastflow_scheduler.adapters.state_store import SCHEMA as STATE
from fastflow_scheduler.adapters.state_store import StateProjection
from fastflow_scheduler.core.state import SchedulerState
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

ROOT = Path(__file__).parents[3]
RUN = "r1"


class Said(NamedTuple):
    honest: bool
    fact: Fact


@st.composite
def interleaved(draw: st.DrawFn) -> list[Said]:
    """A story of honest runners and the scheduler, and between its facts the lies of somebody who holds nothing."""
    seen: list[Said] = []
    honest = told([*draw(stories), *draw(st.lists(commands, max_size=10))])
    for number in range(len(honest) + 1):
        state = run_decider.fold(honest[:number])
        # Whoever has the key of a runner of the pool may claim what waits there, as that runner may.
        seen += [
            Said(False, lie)
            for lie in draw(st.lists(lies, max_size=2))
            if state.phase != "dispatched" or "claimed" not in (lie.type_ or getattr(lie, "wire_type", ""))
        ]
        if number < len(honest):
            seen.append(Said(True, honest[number]))
    return seen


def recorded_of(facts: list[Said]) -> list[tuple[bool, Recorded]]:
    return [
        (
            found.honest,
            Recorded(
                seq=n, aggregate="run", id=RUN, version=n, at=NOON, source="/test", cause=CAUSE, fact=found.fact,
            ),
        )
        for n, found in enumerate(facts, start=1)
    ]  # fmt: skip


@given(stories)
def test_whatever_follows_from_a_command_counts(story: list[RunCommand]) -> None:
    run = Run()
    for fact in told(story):
        assert counts(run, fact)
        run = run_decider.evolve(run, fact)


@settings(max_examples=300)
@given(interleaved())
def test_the_state_is_that_of_the_honest_facts_alone(facts: list[Said]) -> None:
    assert run_decider.fold(f for _, f in facts) == run_decider.fold(f for honest, f in facts if honest)


@settings(max_examples=200)
@given(interleaved())
def test_what_does_not_count_is_told_and_only_that(facts: list[Said]) -> None:
    judged = judge({}, [recorded for _, recorded in recorded_of(facts)])
    lied = [n for n, found in enumerate(facts, start=1) if not found.honest]
    assert [recorded.seq for recorded in judged.foreign] == lied
    assert [r.seq for r in judged.recorded if isinstance(r.fact, ForeignFact)] == lied
    for recorded in judged.foreign:
        assert "does not hold the attempt" in json.dumps(show_fact(recorded), default=str)


SAMPLES = [
    (
        sample["subject"],
        Reader().recorded(1, sample["subject"], sample["headers"], json.dumps(sample["body"]).encode()).fact,
    )
    for sample in (json.loads(file.read_text()) for file in (ROOT / "proto" / "samples").glob("run.*.json"))
]
FOLDS: dict[str, tuple[str, Callable[[Store], Projection]]] = {
    "read model": (ROWS, lambda store: RowProjection(store, Changes())),
    "state": (STATE, lambda store: StateProjection(store, SchedulerState())),
    "claims": (CLAIMS, lambda store: ClaimsProjection(store, lambda _: None, lambda _: None)),
}


async def rows_after(name: str, batches: list[list[Recorded]], folder: Path) -> tuple[list[tuple[object, ...]], Doubts]:
    """What a fold's tables hold; its file is closed and opened again behind every batch, as by a restart."""
    schema, make = FOLDS[name]
    doubts = Doubts()
    for batch in batches:
        async with open_store(folder / "x.db", schema) as store:
            projection = make(store)
            if isinstance(projection, StateProjection):
                await projection.load()
            await apply_batch(doubts, store, projection, batch)
    async with open_store(folder / "x.db", schema) as store:
        table, columns = {
            "read model": ("runs", "*"),
            "claims": ("claims", "*"),
            "state": ("records", "kind, key, body"),
        }[name]
        rows = [tuple(row) for row in await store.db.execute_fetchall(f"SELECT {columns} FROM {table} ORDER BY 1, 2")]
        return [without_position(row) for row in rows], doubts


def without_position(row: tuple[object, ...]) -> tuple[object, ...]:
    """A thing of the state, but for where its history ends, which every fact moves."""
    if row[0] != "run" or not isinstance(row[-1], bytes):
        return row
    thing = json.loads(row[-1])
    return (*row[:-1], json.dumps(thing | {"position": None}))


@pytest.mark.parametrize("fold", FOLDS)
@settings(max_examples=40)
@given(facts=interleaved(), size=st.integers(1, 7))
async def test_every_fold_is_that_of_the_honest_facts_alone(fold: str, facts: list[Said], size: int) -> None:
    recorded = recorded_of(facts)
    everything = [one for _, one in recorded]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        in_parts = [everything[start : start + size] for start in range(0, len(everything), size)]
        found, doubts = await rows_after(fold, in_parts, Path(one))
        wanted, _ = await rows_after(fold, [[r for honest, r in recorded if honest]], Path(other))
    assert found == wanted
    aside = doubts.report()
    lies = sum(not honest for honest, _ in recorded)
    assert (aside.foreign if aside else 0) == (aside.count if aside else 0) == lies
    assert doubts.why("run", RUN) == ""


def test_every_fact_that_only_a_holder_may_say_is_known_to_the_rule() -> None:
    kinds = [kind for kind in get_args(RunFact) if kind.scope_field == "runner"]
    fields: dict[type, Any] = {type(fact): fact for _, fact in SAMPLES}
    assert {fact_name(kind.type_) for kind in kinds} == set(RUNNER_FACTS)
    for kind in kinds:
        assert not counts(Run(), fields[kind]), kind
        assert not counts(
            Run(phase="started", attempt=fields[kind].attempt, holder=holder(runner="other")), fields[kind]
        )


async def test_a_lie_that_nobody_can_read_keeps_nobody_from_deciding() -> None:
    log = MemoryLog()
    requested = Position(aggregate="run", id=RUN)
    await log.append(requested, [run_requested(), run_dispatched(), run_claimed()], cause=CAUSE)
    for name in RUNNER_FACTS:
        await log.put(f"fastflow.evt.run.{RUN}.{name}.{THIEF}", {}, b"junk")
    headers = headers_of(recorded_of([Said(False, attempt_finished(runner=THIEF))])[0][1])
    newer = headers | {"ce-type": "run.attempt_finished.v9"}
    await log.put(f"fastflow.evt.run.{RUN}.attempt_finished.{THIEF}", newer, b"{}")
    history = await log.load("run", RUN)
    assert trusted_state(log, run_decider, history).phase == "claimed"
    assert history.position.seq == 3 + len(RUNNER_FACTS) + 1
    assert await execute(log, run_decider, RUN, RequestCancel(who="ann"), cause=CAUSE)


async def test_what_the_holder_says_is_believed_to_be_what_it_is() -> None:
    log = MemoryLog()
    requested = Position(aggregate="run", id=RUN)
    await log.append(requested, [run_requested(), run_dispatched(), run_claimed()], cause=CAUSE)
    headers = headers_of(recorded_of([Said(True, attempt_finished())])[0][1])
    subject = f"fastflow.evt.run.{RUN}.attempt_finished.runner-1"
    await log.put(subject, headers | {"ce-type": "run.attempt_finished.v9"}, b"{}")
    with pytest.raises(NewerReleaseError):
        trusted_state(log, run_decider, await log.load("run", RUN))
    await log.put(subject, headers, b"junk")
    await log.load("run", RUN)
    assert "cannot be read" in log.doubts.why("run", RUN)


def test_a_fact_under_another_runners_name_than_its_subject_is_none() -> None:
    [(_, recorded)] = recorded_of([Said(True, attempt_finished(runner="runner-1"))])
    subject, body = subject_of(recorded), body_of(recorded.fact)
    assert Reader().read(1, subject, headers_of(recorded), body).fact == recorded.fact
    for other in (
        subject.replace("runner-1", THIEF),
        subject.removesuffix(".runner-1"),
        f"{subject}.runner-1",
        f"{subject}=",
    ):
        assert isinstance(Reader().read(1, other, headers_of(recorded), body).fact, BrokenFact)


def test_a_neighbour_adopts_by_a_proof_that_works_once() -> None:
    one, two, three = holder(), holder(runner="runner-2"), holder(runner="runner-3")
    history: list[Fact] = [run_requested(), run_dispatched()]

    def say(command: AdoptAttempt | ClaimAttempt) -> Fact:
        [fact] = run_decider.decide(command, run_decider.fold(history))
        history.append(fact)
        return fact

    say(ClaimAttempt(attempt=1, holder=one, heir=heir_of("first")))
    for wrong in ("", "guessed", heir_of("first")):
        with pytest.raises(FencedError):
            say(AdoptAttempt(attempt=1, holder=two, proof=wrong, heir=heir_of("second")))
    say(AdoptAttempt(attempt=1, holder=two, proof="first", heir=heir_of("second")))
    with pytest.raises(FencedError):
        say(AdoptAttempt(attempt=1, holder=three, proof="first", heir=heir_of("third")))
    shown = RunAdopted(attempt=1, runner=THIEF, incarnation="i", engine="e1", proof="first", heir=heir_of("x"))
    assert run_decider.fold([*history, shown]).holder == two
    say(AdoptAttempt(attempt=1, holder=three, proof="second"))
    with pytest.raises(FencedError):
        say(AdoptAttempt(attempt=1, holder=one, proof=""))
    again = replace(three, incarnation="i2")
    say(AdoptAttempt(attempt=1, holder=again))
    assert run_decider.fold(history).holder == again


@given(stories, st.sampled_from(["i1", "i2"]))
def test_nobody_without_the_proof_becomes_the_holder_of_what_somebody_holds(
    story: list[RunCommand], incarnation: str
) -> None:
    run = run_decider.fold(told(story))
    if run.phase not in HELD:
        return
    me = holder(runner=THIEF, incarnation=incarnation, engine="e1")
    with pytest.raises(DomainError):
        run_decider.decide(AdoptAttempt(attempt=run.attempt, holder=me), run)
