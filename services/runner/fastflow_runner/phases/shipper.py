"""Shipper: the way of an attempt's output to the log, for as long as the attempt is ours."""

from collections.abc import Sequence
from functools import partial

from fastflow_events.output import OutFrame

from fastflow_runner.attempt import AttemptContext
from fastflow_runner.core.masking import Mask
from fastflow_runner.deps import Deps
from fastflow_runner.phases.claim import still_held
from fastflow_runner.retrying import retry
from fastflow_runner.shipping import Shipper


async def shipper_of(
    deps: Deps,
    context: AttemptContext,
    *,
    lead: Sequence[OutFrame],
    mask: Mask | None = None,
    most_bytes: int | None = None,
    fresh: bool = False,
) -> Shipper:
    """One that goes on behind what is stored; `fresh` when nobody can have stored anything.

    Raises:
        FencedError: the attempt belongs to somebody else.
    """
    holders = partial(still_held, deps.log, context.ref, deps.holder)
    shipper = Shipper(deps.output, context.ref, holders=holders, lead=lead, mask=mask, most_bytes=most_bytes)
    if not fresh:
        await retry(shipper.resume, what="looking for stored output")
    return shipper
