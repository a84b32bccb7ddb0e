from fastflow_events.aggregates.run.state import Run
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    cancel_requested,
    holder,
    run_claimed,
    run_finished,
    run_requested,
)
from fastflow_runner.core.claims import Cancelled, Closed, OpenClaim, change
from fastflow_runner.core.reconcile import Adopt, Examine, neighbours, reconcile, verdict
from fastflow_runner.ports import AttemptRef, Found

ME = holder(incarnation="now")
BEFORE = holder(incarnation="before")
ONE, TWO = AttemptRef(run_id="one", attempt=1), AttemptRef(run_id="two", attempt=1)


def recorded(fact: object) -> Recorded:
    return Recorded(seq=1, aggregate="run", id="one", version=1, at=NOON, source="/t", cause=CAUSE, fact=fact)  # type: ignore[arg-type]


def test_a_claim_of_an_earlier_incarnation_is_adopted_whatever_the_engine_holds() -> None:
    claims = [OpenClaim(ref=ONE, holder=BEFORE), OpenClaim(ref=TWO, holder=BEFORE)]
    found = [Found(ref=ONE, state="exited")]
    assert reconcile(found, claims, me=ME, handled=()) == [Adopt(claim=claims[0]), Adopt(claim=claims[1])]


def test_what_is_in_hand_is_left_alone() -> None:
    claims = [OpenClaim(ref=ONE, holder=ME)]
    assert reconcile([Found(ref=ONE, state="running")], claims, me=ME, handled={ONE}) == []
    assert reconcile([Found(ref=TWO, state="running")], [], me=ME, handled={TWO}) == []


def test_what_other_runners_and_other_engines_hold_is_theirs() -> None:
    claims = [OpenClaim(ref=ONE, holder=holder("other")), OpenClaim(ref=TWO, holder=holder(engine="elsewhere"))]
    assert reconcile([Found(ref=ONE, state="running")], claims, me=ME, handled=()) == []


def test_what_a_runner_held_that_is_gone_is_adopted_on_its_own_engine_only() -> None:
    here, elsewhere = holder("other"), holder("other", engine="elsewhere")
    claims = [OpenClaim(ref=ONE, holder=here), OpenClaim(ref=TWO, holder=elsewhere)]
    assert neighbours(claims, ME) == {"other"}
    assert reconcile([], claims, me=ME, handled=(), gone={"other"}) == [Adopt(claim=claims[0])]
    assert reconcile([], claims, me=ME, handled={ONE}, gone={"other"}) == []


def test_what_nobody_claims_is_examined() -> None:
    found = [Found(ref=ONE, state="running"), Found(ref=TWO, state="exited")]
    assert reconcile(found, [], me=ME, handled=()) == [Examine(ref=ONE), Examine(ref=TWO)]


def test_what_is_over_is_removed_and_what_somebody_holds_here_is_kept() -> None:
    assert verdict(Run(phase="finished", attempt=1, holder=BEFORE), ONE, ME) == "remove"
    assert verdict(Run(phase="ended", attempt=1, holder=BEFORE), ONE, ME) == "remove"
    assert verdict(Run(phase="started", attempt=1, holder=holder("other")), ONE, ME) == "keep"
    assert verdict(Run(phase="claimed", attempt=2, holder=BEFORE), ONE, ME) == "remove"
    assert verdict(Run(phase="started", attempt=1, holder=holder(engine="elsewhere")), ONE, ME) == "remove"


def test_what_belongs_to_a_run_nobody_knows_belongs_to_another_installation() -> None:
    assert verdict(Run(), ONE, ME) == "keep"


def test_open_claims_are_a_fold_of_the_facts_of_runs() -> None:
    assert change(recorded(run_claimed())) == OpenClaim(ref=ONE, holder=holder())
    assert change(recorded(attempt_finished())) == Closed(run_id="one", attempt=1, by_others=False)
    assert change(recorded(run_finished())) == Closed(run_id="one", attempt=1, by_others=False)
    assert change(recorded(cancel_requested())) == Cancelled(run_id="one")
    assert change(recorded(run_requested())) is None
