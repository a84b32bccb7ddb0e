"""What of a stretch of the log counts; the one door between stored facts of runs and whoever folds them."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.aggregates.run.events import RunAdopted, RunClaimed
from fastflow_events.aggregates.run.state import OVER, Run, applied, counts, is_a_runners
from fastflow_events.doubts import Doubts, Unreadable
from fastflow_events.fact import BrokenFact, Fact, ForeignFact, UnknownFact
from fastflow_events.recorded import History, Recorded


class Judged(Struct, frozen=True, kw_only=True):
    """A stretch of the log, and how the runs stand behind it."""

    recorded: tuple[Recorded, ...]
    """All of it; what does not count is a `ForeignFact`."""
    foreign: tuple[Recorded, ...] = ()
    """What does not count."""
    standing: dict[str, Run | None] = {}
    """Of the runs that changed: how they stand, without what no right depends on; None for those that are over."""


def judge(standing: Mapping[str, Run], batch: Sequence[Recorded]) -> Judged:
    """Tell what counts of facts that follow those by which the runs stand as they do."""
    changed: dict[str, Run | None] = {}
    judged: list[Recorded] = []
    foreign: list[Recorded] = []
    for recorded in batch:
        if recorded.aggregate != "run":
            judged.append(recorded)
            continue
        id, fact = recorded.id, recorded.fact
        run = (changed[id] if id in changed else standing.get(id)) or Run()
        if counts(run, fact):
            judged.append(recorded)
            after = applied(run, fact)
            if after is not run and after.phase != "absent":
                changed[id] = None if after.phase in OVER else _lean(after)
        else:
            foreign.append(marked := replace(recorded, fact=_foreign(recorded, run)))
            judged.append(marked)
    return Judged(recorded=tuple(judged), foreign=tuple(foreign), standing=changed)


def history_of(aggregate: str, id: str, stored: Sequence[Recorded], doubts: Doubts) -> History:
    """Every fact of one aggregate, judged; one of them that counts and cannot be read makes it doubted."""
    recorded = judge({}, stored).recorded
    doubt(doubts, recorded, judged=True)
    return History(aggregate=aggregate, id=id, recorded=recorded)


def doubt(doubts: Doubts, recorded: Iterable[Recorded], *, judged: bool) -> None:
    """Doubt the aggregates of facts that cannot be read; those for the judge only when he has `judged` them."""
    for one in recorded:
        if isinstance(one.fact, BrokenFact) and is_for_the_judge(one) is judged:
            doubts.add(one.aggregate, one.id, Unreadable(one.seq, one.fact.reason))


def is_for_the_judge(recorded: Recorded) -> bool:
    """Whether it depends on who said it what a fact that cannot be read means."""
    return isinstance(recorded.fact, UnknownFact) and is_a_runners(recorded.fact)


def holders(facts: Iterable[Fact]) -> frozenset[tuple[int, str]]:
    """Attempt and runner of everybody who has held one, as the facts of a run that count say."""
    return frozenset((fact.attempt, fact.runner) for fact in facts if isinstance(fact, RunClaimed | RunAdopted))


def _lean(run: Run) -> Run:
    if run.specification is None and not run.told and not run.detail:
        return run
    return replace(run, specification=None, told=frozenset(), detail="", detail_message=None)


def _foreign(recorded: Recorded, run: Run) -> ForeignFact:
    fact = recorded.fact
    who = f"runner {fact.scope}" if fact.scope is not None else "whoever said it"
    holder = f"runner {run.holder.runner} does" if run.holder else "nobody does"
    return ForeignFact(wire_type=recorded.wire_type, said=fact, why=f"{who} does not hold the attempt, {holder}")
