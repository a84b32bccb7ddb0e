"""Open claims against what the engine holds, both ways; pure.

| claim | on the engine | handled here | action |
|---|---|---|---|
| ours, of an earlier incarnation | whatever | no | adopt: go on where it stands |
| ours | whatever | yes | none |
| of another runner that is gone | whatever | no | adopt |
| of another runner | whatever | – | none: it is the other's, while its lease lives |
| none | something | no | examine: remove what is left of an attempt that is over |
"""

from collections.abc import Collection, Iterable
from typing import Literal, TypeAlias

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.aggregates.run.state import HELD, Run
from msgspec import Struct

from fastflow_runner.core.claims import OpenClaim
from fastflow_runner.ports import AttemptRef, Found


class Adopt(Struct, frozen=True, kw_only=True):
    """Take the attempt over and bring it to its end."""

    claim: OpenClaim


class Examine(Struct, frozen=True, kw_only=True):
    """Nobody seems to hold this attempt; ask the log itself, then remove it."""

    ref: AttemptRef


Action: TypeAlias = Adopt | Examine


def reconcile(
    found: Iterable[Found],
    claims: Iterable[OpenClaim],
    *,
    me: Holder,
    handled: Collection[AttemptRef],
    gone: Collection[str] = (),
) -> list[Action]:
    """What to do, claims first; `gone` are other runners of this engine whose claims nobody holds any more.

    Both lists may be a moment old: whoever acts asks the log itself again.
    """
    here = [claim for claim in claims if claim.holder.engine == me.engine]
    orphaned = {me.runner, *gone}
    adopt = [Adopt(claim=c) for c in here if c.holder.runner in orphaned and c.ref not in handled]
    claimed = {claim.ref for claim in here}
    orphans = [f.ref for f in found if f.ref not in claimed and f.ref not in handled]
    return [*adopt, *(Examine(ref=ref) for ref in orphans)]


def neighbours(claims: Iterable[OpenClaim], me: Holder) -> set[str]:
    """Other runners that hold something on this engine."""
    return {c.holder.runner for c in claims if c.holder.engine == me.engine} - {me.runner}


def verdict(run: Run, ref: AttemptRef, me: Holder) -> Literal["keep", "remove"]:
    """What to do with an attempt nobody seemed to hold, or that was taken away from us.

    What belongs to a run that this log does not know belongs to another installation, so it is kept; so is what
    anybody holds on this engine now, whose container it is.
    """
    if run.phase == "absent":
        return "keep"
    held_here = run.phase in HELD and run.holder is not None and run.holder.engine == me.engine
    return "keep" if run.attempt == ref.attempt and held_here else "remove"
