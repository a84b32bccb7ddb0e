"""Stories of a run: whatever is asked of it, in whatever order, and what follows."""

from datetime import timedelta

from hypothesis import strategies as st

from fastflow_events.aggregates.run.commands import (
    AdoptAttempt,
    ClaimAttempt,
    ConcludeRun,
    DispatchAttempt,
    FinishAttempt,
    Holder,
    LoseAttempt,
    RejectRun,
    RequestCancel,
    RequestRun,
    RunCommand,
    StartAttempt,
    WithdrawDispatch,
)
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunArtifactStored,
    RunCellFinished,
    RunOutputTruncated,
    RunSoftLimitExceeded,
)
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.state import RUNNER_FACTS, heir_of
from fastflow_events.errors import DomainError
from fastflow_events.fact import BrokenFact, Fact, UnknownFact
from fastflow_events.message import Verbatim
from fastflow_events.testing.builders import (
    NOON,
    attempt_finished,
    holder,
    run_claimed,
    run_requested,
    run_started,
    specification,
)

holders = st.builds(
    holder,
    runner=st.sampled_from(["runner-1", "runner-2"]),
    incarnation=st.sampled_from(["i1", "i2"]),
    engine=st.sampled_from(["e1", "e2"]),
)
attempts = st.integers(1, 3)
outcomes = st.sampled_from(["succeeded", "failed", "timed_out"])


def proof_of(one: Holder) -> str:
    """What the neighbours of a holder can show."""
    return f"{one.runner}/{one.incarnation}"


def claim(attempt: int, me: Holder) -> ClaimAttempt:
    """A claim that neighbours can adopt."""
    return ClaimAttempt(attempt=attempt, holder=me, heir=heir_of(proof_of(me)))


def adopt(attempt: int, me: Holder, before: Holder | None) -> AdoptAttempt:
    """An adoption by somebody who knows what the neighbours of `before` know."""
    proof = proof_of(before) if before else ""
    return AdoptAttempt(attempt=attempt, holder=me, proof=proof, heir=heir_of(proof_of(me)))


commands: st.SearchStrategy[RunCommand] = st.one_of(
    st.just(RequestRun(request=run_requested())),
    st.just(DispatchAttempt(pool="default", term=1, specification=specification())),
    st.builds(claim, attempt=attempts, me=holders),
    st.builds(adopt, attempt=attempts, me=holders, before=st.none() | holders),
    st.builds(
        StartAttempt,
        attempt=attempts,
        holder=holders,
        manifest=st.just(Manifest(executor="process", container="c")),
        started_at=st.just(NOON),
    ),
    st.builds(
        FinishAttempt,
        holder=holders,
        finished=st.builds(
            attempt_finished, attempt=attempts, runner=st.sampled_from(["runner-1", "runner-2"]), outcome=outcomes
        ),
    ),
    st.builds(LoseAttempt, attempt=attempts),
    st.builds(WithdrawDispatch, attempt=attempts, reason=st.just(Verbatim("nobody came"))),
    st.builds(ConcludeRun, retry_due=st.sampled_from([None, NOON, NOON + timedelta(hours=1)])),
    st.builds(RequestCancel, who=st.just("ann"), kind=st.sampled_from(["user", "policy", "restart"])),
    st.just(RejectRun(reason="disabled", detail=Verbatim("off"))),
)
stories: st.SearchStrategy[list[RunCommand]] = st.lists(commands, max_size=40).map(
    lambda rest: [RequestRun(request=run_requested()), *rest]
)


def told(story: list[RunCommand]) -> list[Fact]:
    """What follows from the commands, one after the other; what is refused changes nothing."""
    history: list[Fact] = []
    for command in story:
        try:
            history += run_decider.decide(command, run_decider.fold(history))
        except DomainError:
            continue
    return history


THIEF = "thief"
"""Somebody who has the key of a runner and holds nothing."""
reports = st.one_of(
    st.builds(RunSoftLimitExceeded, attempt=attempts, runner=st.just(THIEF), kind=st.just("memory"),
              limit=st.just(1.0), measured=st.just(2.0)),
    st.builds(RunOutputTruncated, attempt=attempts, runner=st.just(THIEF), dropped_bytes=st.just(9)),
    st.builds(RunCellFinished, attempt=attempts, runner=st.just(THIEF), cell=st.just(1), succeeded=st.booleans(),
              tries=st.just(1)),
    st.builds(RunArtifactStored, attempt=attempts, runner=st.just(THIEF), path=st.just("x"), sha256=st.just("0" * 64),
              size_bytes=st.just(1)),
)  # fmt: skip
junk = st.builds(
    BrokenFact,
    wire_type=st.sampled_from(RUNNER_FACTS).map(lambda name: f"run.{name}.?"),
    body=st.binary(max_size=5),
    reason=st.just("junk"),
    subject_scope=st.just(THIEF),
)
of_a_newer_release = st.builds(
    UnknownFact,
    wire_type=st.sampled_from(RUNNER_FACTS).map(lambda name: f"run.{name}.v9"),
    body=st.just(b"{}"),
    subject_scope=st.just(THIEF),
)
lies: st.SearchStrategy[Fact] = st.one_of(
    st.builds(run_claimed, attempt=attempts, runner=st.just(THIEF), engine=st.sampled_from(["e1", "e2"])),
    st.builds(
        RunAdopted,
        attempt=attempts,
        runner=st.just(THIEF),
        incarnation=st.sampled_from(["i1", "i2"]),
        engine=st.sampled_from(["e1", "e2"]),
        proof=st.sampled_from(["", "guessed"]),
        heir=st.just(heir_of("guessed")),
    ),
    st.builds(run_started, attempt=attempts, runner=st.just(THIEF)),
    st.builds(attempt_finished, attempt=attempts, runner=st.just(THIEF), outcome=st.sampled_from(["failed", "lost"]),
              route=st.just("theirs"), result=st.just({"a": 1})),
    reports,
    junk,
    of_a_newer_release,
)  # fmt: skip
