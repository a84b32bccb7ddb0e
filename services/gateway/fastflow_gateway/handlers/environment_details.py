"""One environment: what is in it, and who asked for what."""

from fastflow_events import subjects
from fastflow_events.absent import NoSuchEnvironment
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.errors import NotFoundError
from msgspec import Struct

from fastflow_gateway.core.packages import Package, asked_for, packages_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.environments import EnvironmentResponse, shown, users_of


class EnvironmentDetails(Struct, frozen=True, kw_only=True):
    """One environment with its packages."""

    environment: EnvironmentResponse
    lock: str
    """What is installed, with hashes; empty while it could not be resolved."""
    packages: list[Package]
    """By name."""
    runs_open: list[str]
    """Runs in it that are not over; at most a hundred."""


EVERYTHING = 1_000_000


async def show_environment(deps: Deps, id: str) -> EnvironmentDetails:
    """The environment, its packages, and who uses it.

    Raises:
        NotFoundError: there is no such environment.
    """
    row = await deps.rows.environment(id)
    if row is None:
        raise NotFoundError(NoSuchEnvironment(), environment=id[:64])
    users = users_of(await deps.rows.pipelines(after="", limit=EVERYTHING), deps.default_python).get(id, [])
    environment = shown(row, users, await deps.rows.environment_uses())
    folders = {installed.environment for installed in environment.installed}
    open_runs = [run.id for run in await deps.rows.open_runs() if run.environment in folders]
    return EnvironmentDetails(
        environment=environment,
        lock=row.lock,
        packages=packages_of(row.lock, await _asked(deps, sorted(users))),
        runs_open=open_runs[:100],
    )


async def _asked(deps: Deps, users: list[str]) -> frozenset[str] | None:
    """Names that the pipelines ask for themselves, which are the same for all of them; None when nobody knows."""
    for name in users[:1]:
        pipeline = await deps.rows.pipeline(name)
        versions = await deps.rows.versions(name, [pipeline.commit_sha] if pipeline else [])
        if not versions:
            continue
        subject = subjects.event("pipeline", id=name, fact="version_stored")
        async for recorded in deps.log.read(subject, after_seq=versions[0].seq - 1, limit=1):
            if isinstance(recorded.fact, PipelineVersionStored):
                return asked_for(recorded.fact.requirements.source, recorded.fact.requirements.text)
    return None
