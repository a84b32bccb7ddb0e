"""Environments: what was installed from which packages, who uses it, and resolving it anew."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from fastflow_events.aggregates.environment.commands import RefreshEnvironment
from fastflow_events.aggregates.environment.decider import environment_decider
from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES
from fastflow_events.errors import InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.ids import environment_id
from fastflow_events.recorded import Cause
from msgspec import Struct

from fastflow_gateway.core.refusals import ModelBehind
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.environments import EnvironmentRow, made_of, state_of
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.planning import BUILDERS, EVERYTHING
from fastflow_gateway.handlers.settling import settle

EnvironmentStatus: TypeAlias = Literal["ready", "stale", "retired", "failed"]
SOURCES = ("pep723", "script_lock", "uv_lock", "requirements_lock", "requirements", "none")


class Installed(Struct, frozen=True, kw_only=True):
    """Where an environment was installed."""

    engine: str
    environment: str
    """Hash that names its folder, and stands in the manifest of a run."""


class EnvironmentResponse(Struct, frozen=True, kw_only=True):
    """Packages for a Python."""

    id: str
    status: EnvironmentStatus
    """`ready`, `stale` (resolved anew when it is needed next), `retired` (to be deleted, or deleted) or `failed`."""
    python: str
    uv: str
    packages: int
    """Packages in the lock."""
    size_bytes: int
    prepared_at: InstantText | None
    prepare_s: float
    installed: list[Installed]
    failures: dict[str, str]
    """Engine to the reason why it cannot be installed there."""
    pipelines: list[str]
    """Whose head needs it."""
    last_used_at: InstantText | None
    """When a run in it was started last; null when the read model knows of none."""


async def list_environments(deps: Deps) -> list[EnvironmentResponse]:
    """Every environment that is known, by id."""
    users = users_of(await deps.rows.pipelines(after="", limit=EVERYTHING), deps.default_python)
    used = await deps.rows.environment_uses()
    return [shown(row, users.get(row.id, ()), used) for row in await deps.rows.environments()]


async def refresh_environment(deps: Deps, id: str, *, who: str, cause: Cause) -> EnvironmentResponse:
    """Have the packages resolved anew when they are needed next; asking twice before that is asking once.

    Raises:
        NotFoundError: there is no such environment.
        InfrastructureError: the read model does not know it yet.
    """
    command = RefreshEnvironment(who=who)
    await settle(deps.changes, await execute(deps.log, environment_decider, id, command, cause=cause))
    users = users_of(await deps.rows.pipelines(after="", limit=EVERYTHING), deps.default_python)
    row = await deps.rows.environment(id)
    if row is None:
        raise InfrastructureError(ModelBehind())
    return shown(row, users.get(id, ()), await deps.rows.environment_uses())


def users_of(rows: Iterable[PipelineRow], default_python: str) -> Mapping[str, list[str]]:
    """Ids of environments to the pipelines whose head needs them.

    A row does not say which kind of file its packages come from, so each is tried: a hash fits one only.
    """
    users: dict[str, list[str]] = {}
    for row in rows:
        definition = msgspec.json.decode(row.definition) or {}
        added = NOTEBOOK_PACKAGES if definition.get("kind") == "notebook" else ()
        python = definition.get("python") or default_python
        for builder in BUILDERS:
            for source in SOURCES:
                id = environment_id(builder, python, source, row.requirements_sha256, added=added)
                users.setdefault(id, []).append(row.name)
    return users


def shown(row: EnvironmentRow, users: Sequence[str], used: Mapping[str, str]) -> EnvironmentResponse:
    """An environment for people; what a refresh made stale is still installed, and may still be used."""
    state, made = state_of(row), made_of(row)
    starts = [used[name] for name in made if name in used]
    status: EnvironmentStatus = (
        "ready" if state.environments else "failed" if state.failures else "stale" if row.refreshed else "failed"
    )
    if made and not state.environments and (state.retired or not state.folders):
        status = "retired"
    return EnvironmentResponse(
        id=row.id,
        status=status,
        python=row.python,
        uv=row.uv,
        packages=packages_in(row.lock),
        size_bytes=row.size_bytes,
        prepared_at=row.prepared_at,
        prepare_s=row.prepare_s,
        installed=[Installed(engine=engine, environment=environment) for engine, environment in sorted(state.folders)],
        failures=state.failures,
        pipelines=sorted(users),
        last_used_at=max(starts) if starts else None,
    )


def packages_in(lock: str) -> int:
    """How many packages a lock names, be it one of requirements or a `pylock.toml`."""
    lines = lock.splitlines()
    if lock.startswith("lock-version"):
        return lines.count("[[packages]]")
    return sum("==" in line or " @ " in line for line in lines)
