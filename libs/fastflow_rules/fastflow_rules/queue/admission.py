"""Whether a run can ever start, with what, and in which order those that can do. Pure: facts in, verdicts out."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.aggregates.run.specification import Requirements, Specification
from fastflow_events.errors import NotFoundError
from fastflow_events.message import Message, Statement, all_retold
from fastflow_events.types import RejectReason
from msgspec import Struct
from msgspec.structs import replace

from fastflow_rules.definition import Defaults, Definition, check_params, fault_of_request, specification
from fastflow_rules.queue.refusals import (
    ChainTooLong,
    NoSuchPipeline,
    PipelineDisabled,
    PipelineInvalid,
    RequestUnfit,
)

MAX_CHAIN_DEPTH = 50
"""Chains one after the other; more of them are a circle."""


class Version(Struct, frozen=True, kw_only=True):
    """A pipeline at one commit, as `pipeline.version_stored` told it."""

    repository: str
    commit: str
    tree: str
    definition: Definition
    requirements: Requirements = Requirements()
    branch: str = ""


class Pipeline(Struct, frozen=True, kw_only=True):
    """A pipeline as it stands at the head of its repository."""

    definition: Definition | None = None
    """None while it is invalid."""
    last: Definition | None = None
    """The last one that was valid."""
    errors: tuple[str, ...] = ()
    errors_messages: tuple[Message, ...] = ()
    commit: str = ""
    removed: bool = False
    paused: bool = False


class Refusal(Struct, frozen=True, kw_only=True):
    """The run will never start."""

    reason: RejectReason
    detail: Statement


class Lane(NamedTuple):
    """What a run needs to start; runs of one lane only ever wait for each other."""

    pipeline: str
    group: str | None
    pool: str


class Order(NamedTuple):
    """Place in the queue; the smallest starts first, and nobody's changes by waiting."""

    since: float
    """Seconds since 1970 at which the run began to wait, earlier by its priority."""
    seq: int


def rejection_of(
    request: RunRequested, pipeline: Pipeline | None, *, version: Version | None, missing: Statement | None = None
) -> Refusal | None:
    """Why the run can never start, whatever happens in the queue; `missing` says why its code will not come."""
    if request.trigger.depth > MAX_CHAIN_DEPTH:
        return Refusal(reason="chain_depth", detail=ChainTooLong(request.trigger.depth))
    if pipeline is None or (pipeline.removed and version is None):
        return Refusal(reason="unknown", detail=NoSuchPipeline(request.pipeline))
    if missing is not None:
        return Refusal(reason="version_missing", detail=missing)
    if pipeline.definition is None and not pipeline.removed and request.commit in (None, pipeline.commit):
        problems = all_retold(pipeline.errors, pipeline.errors_messages)
        return Refusal(reason="invalid_definition", detail=PipelineInvalid(problems))
    if pipeline.definition is not None and not pipeline.definition.enabled:
        return Refusal(reason="disabled", detail=PipelineDisabled())
    fits = _params(request, version) if version is not None else {}
    return fits if isinstance(fits, Refusal) else None


def freeze(
    request: RunRequested, version: Version, defaults: Defaults, secret_versions: Mapping[str, int] | None = None
) -> Specification | Refusal:
    """Everything the run's attempts will execute, or why its request does not fit its pipeline.

    `secret_versions` holds the newest version of every secret there is.
    """
    params = _params(request, version)
    if isinstance(params, Refusal):
        return params
    try:
        frozen = specification(
            version.definition,
            repository=version.repository,
            pipeline=request.pipeline,
            commit=version.commit,
            tree=version.tree,
            requirements=version.requirements,
            branch=version.branch,
            run_config_id=request.run_config_id,
            env=request.env,
            params=params,
            secret_versions=secret_versions,
            defaults=defaults,
        )
    except NotFoundError as exc:
        return Refusal(reason="invalid_definition", detail=exc.statement)
    return replace(frozen, env={**frozen.env, **_variables(request)})


def _params(request: RunRequested, version: Version) -> dict[str, str] | Refusal:
    """The parameters as the pipeline takes them at the commit of the run, or why it does not."""
    if faults := fault_of_request(request.trigger.kind, request.env, request.params):
        return Refusal(reason="invalid_params", detail=RequestUnfit(faults))
    params = check_params(version.definition, request.params)
    if isinstance(params, dict):
        return params
    return Refusal(reason="invalid_params", detail=RequestUnfit(tuple(problem.statement for problem in params)))


def _variables(request: RunRequested) -> dict[str, str]:
    """What the script may want to know of its trigger."""
    trigger = request.trigger
    variables = {}
    if trigger.nominal is not None:
        variables["FASTFLOW_NOMINAL"] = trigger.nominal.isoformat().replace("+00:00", "Z")
    if (upstream := trigger.upstream_run or trigger.rerun_after) is not None:
        variables["FASTFLOW_UPSTREAM_RUN"] = upstream
    return variables


def lane(name: str, pipeline: Pipeline | None, version: Version | None, default_pool: str) -> Lane:
    """Which lane a run waits in: limits as they are at the head, the pool as its own version says."""
    own = version.definition if version else None
    head = (pipeline.definition if pipeline else None) or own
    pool = own.pool if own else head.pool if head else None
    return Lane(pipeline=name, group=head.concurrency_group if head else None, pool=pool or default_pool)


def order(*, since: datetime, seq: int, priority: int, ageing_s: float) -> Order:
    """The place in the queue: waiting `ageing_s` longer counts as much as one step of priority."""
    return Order(since=since.timestamp() - priority * ageing_s, seq=seq)
