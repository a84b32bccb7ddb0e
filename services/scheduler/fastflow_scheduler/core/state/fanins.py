"""What fan-ins have so far: each success a thing of its own, so that one more costs no more than itself."""

from msgspec import Struct

from fastflow_scheduler.core.fanin import Success, Waiting
from fastflow_scheduler.core.state.dirty_table import DirtyTable


class Arrival(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that one fan-in waits with for the others."""

    fanin: str
    """The pipeline that follows them all."""
    pipeline: str
    place: int
    """Position of the fact that ended the run: arrivals of a pipeline are in this order."""
    success: Success


class FanIns:
    """By the pipeline that follows."""

    def __init__(self) -> None:
        self.table = DirtyTable("arrival", Arrival)
        self._waiting: dict[str, Waiting] = {}

    def get(self, fanin: str) -> Waiting:
        """What the fan-in has so far."""
        return self._waiting.get(fanin) or Waiting()

    def put(self, fanin: str, waiting: Waiting, *, place: int) -> None:
        """What it has now; what came and what went are written down, and nothing else. `place` is of what came."""
        before = self.get(fanin).successes
        for pipeline in {*before, *waiting.successes}:
            had = {success.run_id: success for success in before.get(pipeline, ())}
            has = {success.run_id: success for success in waiting.successes.get(pipeline, ())}
            for run_id in had.keys() - has.keys():
                self.table.drop(_key(fanin, pipeline, run_id))
            for run_id in has.keys() - had.keys():
                came = Arrival(fanin=fanin, pipeline=pipeline, place=place, success=has[run_id])
                self.table.put(_key(fanin, pipeline, run_id), came)
        self._waiting[fanin] = waiting

    def drop(self, fanin: str) -> None:
        """Forget everything it has."""
        self.put(fanin, Waiting(), place=0)
        self._waiting.pop(fanin, None)

    def rebuild(self) -> None:
        """Compute from the arrivals alone what each fan-in has."""
        found: dict[str, dict[str, tuple[Success, ...]]] = {}
        for arrival in sorted(self.table.values(), key=lambda arrival: arrival.place):
            of = found.setdefault(arrival.fanin, {})
            of[arrival.pipeline] = (*of.get(arrival.pipeline, ()), arrival.success)
        self._waiting = {fanin: Waiting(successes=successes) for fanin, successes in found.items()}


def _key(fanin: str, pipeline: str, run_id: str) -> str:
    """No name of a folder holds a slash."""
    return f"{fanin}/{pipeline}/{run_id}"
