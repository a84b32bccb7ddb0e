"""Environments that nothing needs any more, given up; the runners delete them."""

from collections.abc import Iterable, Mapping

from fastflow_events.aggregates.environment.commands import RetireEnvironments
from fastflow_events.aggregates.environment.decider import Environment, environment_decider
from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES
from fastflow_events.errors import InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.ids import environment_id
from fastflow_events.instants import later
from fastflow_events.recorded import Cause
from msgspec import Struct

from fastflow_gateway.core.refusals import ModelBehind
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.environments import Made, made_of, state_of
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.runs import RunRow
from fastflow_gateway.core.views.versions import VersionRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.environments import users_of
from fastflow_gateway.handlers.planning import BUILDERS, EVERYTHING

CAUGHT_UP_WITHIN_S = 20.0
DAY_S = 86_400.0


class Retired(Struct, frozen=True, kw_only=True):
    """A folder that may be deleted."""

    environment: str
    """Hash that names it, and stands in the manifest of a run."""
    engines: list[str]
    ids: list[str]
    """What it was installed for."""
    size_bytes: int
    """Of its files, of which others may have some too."""
    last_used_at: InstantText | None


class Collection(Struct, frozen=True, kw_only=True):
    """What nothing needs."""

    items: list[Retired]
    size_bytes: int
    kept: int
    """Folders that stay."""
    dry_run: bool


async def collect(deps: Deps, *, who: str, cause: Cause, keep_days: float | None, dry_run: bool) -> Collection:
    """Retire every folder that nothing needs, unless it is only asked which those are.

    Raises:
        InfrastructureError: the read model does not know yet what is needed.
    """
    if not await deps.changes.reached(await deps.log.last_seq(), within_s=CAUGHT_UP_WITHIN_S):
        raise InfrastructureError(ModelBehind())
    days = deps.env_keep_days if keep_days is None else keep_days
    # Runs first: what is asked for after that prepares what it needs, and so takes it back.
    uses = await deps.rows.environment_uses()
    runs = await deps.rows.open_runs()
    pipelines = await deps.rows.pipelines(after="", limit=EVERYTHING)
    ids = users_of(pipelines, deps.default_python).keys() | await _ids_of(deps, runs)
    environments = await deps.rows.environments()
    since = text_of(later(deps.clock(), -days * DAY_S))
    started = {run.environment for run in runs if run.environment} | {name for name, at in uses.items() if at >= since}
    states = {row.id: state_of(row) for row in environments}
    made = {row.id: made_of(row) for row in environments}
    needed = (
        started
        | _current(made, ids)
        | {name for each in made.values() for name, one in each.items() if one.at >= since}
    )
    found = unneeded(states, needed)
    sizes = {name: one.size_bytes for each in made.values() for name, one in each.items()}
    items = [
        Retired(
            environment=name,
            engines=sorted({engine for id in ids_ for engine, other in states[id].folders if other == name}),
            ids=sorted(ids_),
            size_bytes=sizes.get(name, 0),
            last_used_at=uses.get(name),
        )
        for name, ids_ in sorted(found.items())
    ]
    if not dry_run:
        for id in sorted({id for each in items for id in each.ids}):
            names = tuple(each.environment for each in items if id in each.ids)
            await execute(
                deps.log, environment_decider, id, RetireEnvironments(environments=names, who=who), cause=cause
            )
    there = {name for state in states.values() for _, name in state.folders if name not in state.retired}
    return Collection(
        items=items,
        size_bytes=sum(each.size_bytes for each in items),
        kept=len(there - found.keys()),
        dry_run=dry_run,
    )


def unneeded(states: Mapping[str, Environment], needed: Iterable[str]) -> Mapping[str, list[str]]:
    """Folders that are still there and that nothing needs, with the ids of the environments they are of."""
    found: dict[str, list[str]] = {}
    keep = set(needed)
    for id, state in states.items():
        for name in {name for _, name in state.folders} - state.retired - keep:
            found.setdefault(name, []).append(id)
    return found


def _current(made: Mapping[str, Mapping[str, Made]], ids: Iterable[str]) -> set[str]:
    """The newest folder of each engine, for the environments of these ids."""
    newest = [{one.engine: name for name, one in made.get(id, {}).items()} for id in ids]
    return {name for each in newest for name in each.values()}


async def _ids_of(deps: Deps, runs: Iterable[RunRow]) -> set[str]:
    """Environments that runs need which have not begun yet: their commit need not be the head any more."""
    wanted: dict[str, set[str]] = {}
    for run in runs:
        if run.commit_sha:
            wanted.setdefault(run.pipeline, set()).add(run.commit_sha)
    ids: set[str] = set()
    for pipeline, commits in wanted.items():
        for version in await deps.rows.versions(pipeline, commits):
            ids |= _of_version(version, deps.default_python)
    return ids


def _of_version(version: VersionRow, default_python: str) -> set[str]:
    added = NOTEBOOK_PACKAGES if version.kind == "notebook" else ()
    source, sha256 = version.requirements_source, version.requirements_sha256
    python = version.python or default_python
    return {environment_id(builder, python, source, sha256, added=added) for builder in BUILDERS}
