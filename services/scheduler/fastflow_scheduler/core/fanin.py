"""Fan-in: which runs of several pipelines belong together, so that one run follows them all. Pure.

Pipelines that descend from a common one belong together by what began them: a run of each in the same flow. Others are
matched newest to newest: one run follows as soon as each has succeeded since the last time.
"""

from collections.abc import Sequence
from typing import Any

from fastflow_events.types import Env
from fastflow_rules.chains import Ended
from msgspec import Struct
from msgspec.structs import replace

KEPT = 200
"""Successes without a partner that are remembered for each pipeline."""


class Success(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that waits for the others."""

    run_id: str
    flow: str
    """Correlation id: what began it all."""
    depth: int = 0
    params: Env = {}
    result: dict[str, Any] | None = None

    @property
    def ended(self) -> Ended:
        """The same as what may be handed over."""
        return Ended(run_id=self.run_id, params=self.params, result=self.result)


class Waiting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one fan-in has so far: pipeline to its successes, oldest first."""

    successes: dict[str, tuple[Success, ...]] = {}


def arrived(
    waiting: Waiting, members: Sequence[str], pipeline: str, success: Success, *, one_flow: bool
) -> tuple[Waiting, dict[str, Success] | None]:
    """Take a success in; returns what waits now and, when each member has one, those that are followed together."""
    known = {name: waiting.successes.get(name, ()) for name in members}
    known[pipeline] = (*known[pipeline], success)[-KEPT:]
    chosen: dict[str, Success] = {}
    for name in members:
        candidates = [s for s in known[name] if s.flow == success.flow] if one_flow else list(known[name])
        if not candidates:
            return replace(waiting, successes=known), None
        chosen[name] = candidates[-1]
    for name, partner in chosen.items():
        cut = known[name].index(partner)
        known[name] = (*known[name][:cut], *known[name][cut + 1 :]) if one_flow else known[name][cut + 1 :]
    return replace(waiting, successes=known), chosen
