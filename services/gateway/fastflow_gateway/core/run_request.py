"""What somebody who wants a run may say, over HTTP and over NATS alike; read strictly."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from fastflow_events.types import CommitSha
from fastflow_rules.definition import as_text, faults
from msgspec import Meta, Struct

from fastflow_gateway.core.bodies import pointer_to, read_json
from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import TwoNames

MAX_VARIABLES = 50
Variable: TypeAlias = Annotated[str, Meta(max_length=16_384)]
Variables: TypeAlias = Annotated[
    dict[str, Variable],
    Meta(max_length=MAX_VARIABLES, description="Name to value; values are text."),
]
Params: TypeAlias = Annotated[
    dict[str, Variable | int | float | bool],
    Meta(max_length=MAX_VARIABLES, description="Name to value; numbers, true and false are as good as their text."),
]


class RunBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/pipelines/{name}/run`; everything may be left out."""

    env: Variables = {}
    params: Params = {}
    run_config_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Id of one of the pipeline's schedules; its deviations apply."""
    commit: CommitSha | None = None
    """The head of the repository unless named."""
    priority: Annotated[int, Meta(ge=-1000, le=1000)] | None = None
    """Place in the queue, higher first; what the run configuration or the pipeline says unless it is given."""
    env_vars: Variables | None = None
    """Older name of `env`."""
    parameters: Params | None = None
    """Older name of `params`."""


class RunOptions(Struct, frozen=True, kw_only=True):
    """What somebody wants of a run, as it goes into the log."""

    env: dict[str, str] = {}
    params: dict[str, str] = {}
    run_config_id: str | None = None
    commit: CommitSha | None = None
    """None is the head of the repository."""
    priority: int | None = None
    """None is what the run configuration says, or the pipeline."""


def read_run_options(body: bytes) -> RunOptions:
    """Read a body; an empty one asks for nothing in particular. Older names are folded into today's.

    Raises:
        InvalidBodyError: the body is not JSON.
        InvalidFieldError: a member is unknown or has the wrong form. Names and values are looked at where the run is
            asked for, whoever asks: `check_variables`.
    """
    if not body.strip():
        return RunOptions()
    options = read_json(body, RunBody)
    older = _texts(options.parameters) if options.parameters is not None else None
    return RunOptions(
        env=_one_of(options.env, options.env_vars, "env_vars"),
        params=_one_of(_texts(options.params), older, "parameters"),
        run_config_id=options.run_config_id,
        commit=options.commit,
        priority=options.priority,
    )


def check_variables(member: str, variables: Mapping[str, str]) -> None:
    """Refuse what nobody who asks for a run may give; `member` of the body is where it was said.

    Raises:
        InvalidFieldError: a name is closed, or a value cannot be one.
    """
    for name, why in faults(variables):
        raise InvalidFieldError(why, pointer_to(member, name))


def _texts(params: dict[str, str | int | float | bool]) -> dict[str, str]:
    return {name: as_text(value) for name, value in params.items()}


def _one_of(ours: dict[str, str], older: dict[str, str] | None, name: str) -> dict[str, str]:
    if older is None:
        return ours
    if ours and ours != older:
        raise InvalidFieldError(TwoNames(), pointer_to(name))
    return older
