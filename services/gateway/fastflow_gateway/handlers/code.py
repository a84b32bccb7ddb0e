"""Exactly the files a run ran, or will run, at their commit."""

from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.aggregates.run.events import RunDispatched, RunRequested
from fastflow_events.errors import NotFoundError
from fastflow_events.log import EventLog
from msgspec import Struct

from fastflow_gateway.core.errors import no_such_run
from fastflow_gateway.core.refusals import CodeNotYet
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import definition_of, find_pipeline


class Ran(Struct, frozen=True, kw_only=True):
    """Where the code of a run comes from."""

    pipeline: str
    repository: str
    commit: str
    tree: str
    entry_point: str | None
    """None before the run is dispatched."""


async def code_of_run(log: EventLog, run_id: str) -> Ran:
    """What a run's first dispatch froze; before it, the stored version of the commit that was asked for.

    Raises:
        NotFoundError: there is no such run, or its code is not stored yet.
    """
    facts = (await log.load("run", run_id)).facts
    request = next((fact for fact in facts if isinstance(fact, RunRequested)), None)
    if request is None:
        raise no_such_run(run_id)
    frozen = next((fact.specification for fact in facts if isinstance(fact, RunDispatched)), None)
    if frozen is not None:
        return Ran(
            pipeline=frozen.pipeline,
            repository=frozen.repository,
            commit=frozen.commit,
            tree=frozen.tree,
            entry_point=frozen.entry_point,
        )
    history = (await log.load("pipeline", request.pipeline)).facts
    versions = [f for f in history if isinstance(f, PipelineVersionStored) and f.commit == request.commit]
    if not versions:
        raise NotFoundError(CodeNotYet(), run=run_id[:64])
    return Ran(
        pipeline=request.pipeline,
        repository=versions[-1].repository,
        commit=versions[-1].commit,
        tree=versions[-1].tree,
        entry_point=None,
    )


async def code_at_head(deps: Deps, name: str) -> Ran:
    """What a run of the pipeline would run now.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    row = await find_pipeline(deps, name)
    definition = definition_of(row)
    entry_points = {"script": "main.py", "notebook": "main.ipynb"}
    return Ran(
        pipeline=row.name,
        repository=row.repository,
        commit=row.commit_sha,
        tree=row.tree,
        entry_point=entry_points[definition.kind] if definition is not None else None,
    )
