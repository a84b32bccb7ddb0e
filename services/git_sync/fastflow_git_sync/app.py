"""The composition root: opens, wires, closes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.errors import SettingsError
from fastflow_events.nats.broker import make_broker
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.service.clock import utc_now
from fastflow_events.service.health import serve
from fastflow_events.service.lifecycle import Service
from fastflow_events.service.projection import catch_up, project
from fastflow_events.service.store import open_store
from fastflow_events.service.tasks import Work, background
from fastflow_rules.remote import remote
from msgspec.structs import replace

from fastflow_git_sync.adapters import schema
from fastflow_git_sync.adapters.bundles import BundleStore
from fastflow_git_sync.adapters.commits import CommitBucket
from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.adapters.keyring import Keyring
from fastflow_git_sync.adapters.once import open_once
from fastflow_git_sync.adapters.pipelines import PipelineRows
from fastflow_git_sync.adapters.repositories import RepositoryRows
from fastflow_git_sync.bell import Bell, Bells
from fastflow_git_sync.core.access import Watched
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.deps import Deps, OpenSource, Repo
from fastflow_git_sync.poller import poll
from fastflow_git_sync.ports import Source
from fastflow_git_sync.repository_supervisor import Watch
from fastflow_git_sync.searches import Searches
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.subscribers import subscribe

SERVICE = "git_sync"
CHECKS_AT_ONCE = 2


def build(settings: GitSyncSettings) -> Service:
    """Return the unstarted service.

    Raises:
        SettingsError: a repository of the environment cannot be.
    """
    environment = of_environment(settings, _listed(settings))
    broker = make_broker(settings, SERVICE)
    home = settings.home / SERVICE
    work = Work()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        keyring = Keyring(settings)
        keyring.open()
        async with (
            connect(settings, f"{SERVICE}-{settings.instance}") as nc,
            open_store(home / "pipelines.db", schema.PIPELINES) as pipeline_store,
            open_store(home / "repositories.db", schema.REPOSITORIES) as repository_store,
        ):
            log = JetStreamLog(nc, source=f"/fastflow/{SERVICE}/{settings.instance}")
            pipelines, repositories = PipelineRows(pipeline_store), RepositoryRows(repository_store)
            await catch_up(log, pipeline_store, pipelines)
            await catch_up(log, repository_store, repositories)
            deps = Deps(
                log=log,
                bundles=BundleStore(nc, utc_now),
                commits=CommitBucket(nc),
                pipelines=pipelines,
                repositories=repositories,
                keys=keyring,
                open_source=_opener(settings, environment, keyring),
                open_once=partial(open_once, settings, keyring),
                environment={name: watched.configured for name, watched in environment.items()},
                here={},
                bells=Bells(),
                searches=Searches(),
                checks=asyncio.Semaphore(CHECKS_AT_ONCE),
                clock=utc_now,
                new_id=lambda: uuid.uuid4().hex,
            )
            subscribe(broker, deps, keyring.public_key())

            async def keep_reading(deps: Deps, repo: Repo, bell: Bell) -> None:
                await poll(deps, repo, bell, every_s=settings.poll_every_s)

            async with (
                serve(settings.health_host, settings.health_port, {"nats": nc.ping, "loops": work.ping}, log.doubts),
                background(
                    of=work,
                    pipelines=project(log, pipeline_store, pipelines),
                    repositories=project(log, repository_store, repositories),
                    watch=Watch(deps, keep_reading).run(),
                ),
            ):
                try:
                    yield
                finally:
                    deps.searches.close()

    return Service(broker, lifespan, work)


def _opener(settings: GitSyncSettings, environment: Mapping[str, Watched], keyring: Keyring) -> OpenSource:
    """What opens a repository: those of the environment with its credentials, others with those in the facts."""

    def opened(name: str, configured: RepositoryConfigured) -> AbstractAsyncContextManager[Source]:
        watched = environment.get(name)
        if watched is None:
            return open_source(settings, name, configured, keyring.access(name, configured))
        access = watched.access
        key = access.ssh_key_file or keyring.deploy_key(name, remote(configured.url))
        return open_source(settings, name, configured, replace(access, ssh_key_file=key))

    return opened


def _listed(settings: GitSyncSettings) -> bytes | None:
    path = settings.repositories_file
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as exc:
        raise SettingsError(f"the file FASTFLOW_REPOSITORIES_FILE names cannot be read: {exc}") from exc
