"""What somebody who wants a run once more may change of it; read strictly."""

from typing import Annotated

from fastflow_events.aggregates.run.events import RunRequested
from fastflow_rules.definition import as_text
from msgspec import Meta, Struct

from fastflow_gateway.core.bodies import pointer_to, read_json
from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.rerun_faults import NothingToUnset, SetAndUnset
from fastflow_gateway.core.run_request import MAX_VARIABLES, Params, RunOptions, Variables


class RerunBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/runs/{id}/rerun`; what is not named is as it was, hidden values too."""

    params: Params = {}
    """Instead of those the run had, or beside them."""
    env: Variables = {}
    unset: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=2 * MAX_VARIABLES)] = []
    """Names of variables and params that the new run shall not have."""
    same_commit: bool = False
    """Run the code that the run ran; else that of the head."""
    priority: Annotated[int, Meta(ge=-1000, le=1000)] | None = None
    """Place in the queue, higher first; what the run configuration or the pipeline says unless it is given."""


def read_changes(body: bytes) -> RerunBody:
    """Read a body; an empty one changes nothing.

    Raises:
        InvalidBodyError: the body is not JSON.
        InvalidFieldError: a member is unknown or has the wrong form, or one name is set and unset.
    """
    changes = read_json(body, RerunBody)
    for at, name in enumerate(changes.unset):
        if name in changes.env or name in changes.params:
            raise InvalidFieldError(SetAndUnset(), pointer_to("unset", str(at)))
    return changes


def options_of(first: RunRequested, changes: RerunBody) -> RunOptions:
    """The options of a run as those of a new one, with what shall be different.

    Raises:
        InvalidFieldError: a name that shall go is none that the run had.
    """
    for at, name in enumerate(changes.unset):
        if name not in first.env and name not in first.params:
            raise InvalidFieldError(NothingToUnset(), pointer_to("unset", str(at)))
    gone = {*changes.unset}
    params = {name: as_text(value) for name, value in changes.params.items()}
    return RunOptions(
        env={name: value for name, value in {**first.env, **changes.env}.items() if name not in gone},
        params={name: value for name, value in {**first.params, **params}.items() if name not in gone},
        run_config_id=first.run_config_id,
        commit=first.commit if changes.same_commit else None,
        priority=changes.priority,
    )
