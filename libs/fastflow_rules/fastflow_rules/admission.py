"""Which waiting run starts next, which never will, and what the others wait for. Pure: facts in, verdicts out."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from fastflow_events.errors import NotFoundError
from fastflow_events.run.events import RunRequested
from fastflow_events.run.specification import Requirements, Specification
from fastflow_events.types import RejectReason
from msgspec import Struct

from fastflow_rules.definition import Defaults, Definition, specification


class Version(Struct, frozen=True, kw_only=True):
    """A pipeline at one commit, as `pipeline.version_stored` told it."""

    repository: str
    commit: str
    tree: str
    definition: Definition
    requirements: Requirements = Requirements()


class Pipeline(Struct, frozen=True, kw_only=True):
    """A pipeline as it stands at the head of its repository."""

    definition: Definition | None = None
    """None while it is invalid."""
    errors: tuple[str, ...] = ()
    commit: str = ""
    removed: bool = False
    paused: bool = False


class Candidate(Struct, frozen=True, kw_only=True):
    """A run that waits in the queue."""

    run_id: str
    request: RunRequested
    specification: Specification | None = None
    """Of its first attempt; a retry repeats it."""
    version: Version | None = None
    """The code it asks for; None while it is not stored."""
    missing: str = ""
    """Why the code it asks for will never be stored."""


class Capacity(Struct, frozen=True, kw_only=True):
    """What is in use, and how much may be."""

    max_running: int
    running: Mapping[str, int]
    """Attempts dispatched, claimed or started, by pipeline."""


class Reject(Struct, frozen=True, kw_only=True):
    """The run can never start."""

    run_id: str
    reason: RejectReason
    detail: str


class Dispatch(Struct, frozen=True, kw_only=True):
    """The run starts now."""

    run_id: str
    specification: Specification


class Wait(Struct, frozen=True, kw_only=True):
    """The run stays in the queue."""

    run_id: str
    reason: str


Verdict: TypeAlias = Reject | Dispatch | Wait


def admit(
    queue: Iterable[Candidate], pipelines: Mapping[str, Pipeline], capacity: Capacity, defaults: Defaults
) -> list[Verdict]:
    """Return one verdict per candidate, in the order given; earlier ones take the free slots first."""
    running = dict(capacity.running)
    verdicts: list[Verdict] = []
    for candidate in queue:
        name = candidate.request.pipeline
        verdict = _judge(candidate, pipelines.get(name), running, capacity.max_running, defaults)
        if isinstance(verdict, Dispatch):
            running[name] = running.get(name, 0) + 1
        verdicts.append(verdict)
    return verdicts


def _judge(
    candidate: Candidate, pipeline: Pipeline | None, running: Mapping[str, int], max_running: int, defaults: Defaults
) -> Verdict:
    run_id = candidate.run_id
    if candidate.specification is None and (rejected := _hopeless(candidate, pipeline)):
        return rejected
    if pipeline is not None and pipeline.paused:
        return Wait(run_id=run_id, reason="the pipeline is paused")
    if candidate.specification is None and candidate.version is None:
        return Wait(run_id=run_id, reason="fetching code")
    if sum(running.values()) >= max_running:
        return Wait(run_id=run_id, reason=f"all {max_running} places are taken")
    mine = running.get(candidate.request.pipeline, 0)
    most = pipeline.definition.max_instances if pipeline and pipeline.definition else None
    if most is not None and mine >= most:
        if candidate.version and candidate.version.definition.on_limit == "reject":
            detail = f"{mine} of at most {most} runs of this pipeline are active"
            return Reject(run_id=run_id, reason="limit", detail=detail)
        return Wait(run_id=run_id, reason=f"{mine} of at most {most} runs of this pipeline are active")
    return _dispatch(candidate, defaults)


def _hopeless(candidate: Candidate, pipeline: Pipeline | None) -> Reject | None:
    """The refusal of a run that can never start, whatever happens in the queue."""
    run_id, version = candidate.run_id, candidate.version
    if pipeline is None or (pipeline.removed and version is None):
        name = candidate.request.pipeline
        return Reject(run_id=run_id, reason="unknown", detail=f"there is no pipeline named {name!r}")
    if candidate.missing:
        return Reject(run_id=run_id, reason="version_missing", detail=candidate.missing)
    if pipeline.definition is None and not pipeline.removed and candidate.request.commit in (None, pipeline.commit):
        detail = "the pipeline is invalid: " + "; ".join(pipeline.errors)
        return Reject(run_id=run_id, reason="invalid_definition", detail=detail)
    if pipeline.definition is not None and not pipeline.definition.enabled:
        return Reject(run_id=run_id, reason="disabled", detail="the pipeline is disabled in its pipeline.json")
    return None


def _dispatch(candidate: Candidate, defaults: Defaults) -> Verdict:
    if candidate.specification is not None:
        return Dispatch(run_id=candidate.run_id, specification=candidate.specification)
    version, request = candidate.version, candidate.request
    assert version is not None
    try:
        frozen = specification(
            version.definition,
            repository=version.repository,
            pipeline=request.pipeline,
            commit=version.commit,
            tree=version.tree,
            requirements=version.requirements,
            trigger=request.trigger.kind,
            run_config_id=request.run_config_id,
            env=request.env,
            params=request.params,
            defaults=defaults,
        )
    except NotFoundError as exc:
        return Reject(run_id=candidate.run_id, reason="invalid_definition", detail=str(exc))
    if why := _beyond_us(frozen):
        return Reject(run_id=candidate.run_id, reason="invalid_definition", detail=why)
    return Dispatch(run_id=candidate.run_id, specification=frozen)


def _beyond_us(specification: Specification) -> str | None:
    """Why no runner of this release can execute it as it is meant; better refused than executed as something else."""
    if specification.kind == "notebook":
        return "notebooks cannot be executed by this version; a folder with a main.py can"
    if specification.isolation == "jit":
        return 'isolation "jit" cannot be had from this version; leave it out and list the packages in requirements.txt'
    return None
