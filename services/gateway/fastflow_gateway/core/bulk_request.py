"""What is to be done with many runs at once; read strictly."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from fastflow_gateway.core.bodies import read_json
from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.rerun_faults import IdsOrFilter, OnlyOfAction, PriorityMissing
from fastflow_gateway.core.responses.bulk import BulkAction
from fastflow_gateway.core.runs_wanted import RunsWanted

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
MOST_LIKE = 10_000
"""A filter that finds more is taken for a mistake."""
MOST_RUNS = 1000
"""For more the next request goes on: each run is an aggregate of its own, so nothing has to be kept in between."""


class BulkBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/runs/bulk`."""

    action: BulkAction
    ids: Annotated[list[Id], Meta(min_length=1, max_length=MOST_RUNS)] | None = None
    """The runs; one that is named twice counts once."""
    filter: RunsWanted | None = None
    """The runs that are like this, newest first, at most `limit` with one request; `next` goes on."""
    limit: Annotated[int, Meta(ge=1, le=MOST_RUNS)] = 500
    cursor: Annotated[str, Meta(pattern="^[0-9]{1,18}$(?!\\n)")] | None = None
    """`next` of the answer before, with the same filter."""
    why: Annotated[str, Meta(max_length=500)] = ""
    """For the log, with `cancel`."""
    priority: Annotated[int, Meta(ge=-1000, le=1000)] | None = None
    """Needed with `prioritise`; with `rerun` the place of the new runs."""
    same_commit: bool = False
    """With `rerun`: run the code that each run ran."""
    dry_run: bool = False
    """Only say what would become of each run."""


def read_bulk(body: bytes) -> BulkBody:
    """Read a body.

    Raises:
        InvalidBodyError: the body is not JSON.
        InvalidFieldError: a member is unknown, has the wrong form, or belongs to another action.
    """
    asked = read_json(body, BulkBody)
    if (asked.ids is None) == (asked.filter is None):
        raise InvalidFieldError(IdsOrFilter(), "/ids")
    if asked.action == "prioritise" and asked.priority is None:
        raise InvalidFieldError(PriorityMissing(), "/priority")
    if asked.action == "cancel" and asked.priority is not None:
        raise InvalidFieldError(OnlyOfAction("prioritise, rerun"), "/priority")
    if asked.action != "rerun" and asked.same_commit:
        raise InvalidFieldError(OnlyOfAction("rerun"), "/same_commit")
    return asked
