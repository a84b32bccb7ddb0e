"""The composition root: opens, wires, closes."""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastflow_events.broker import make_broker
from fastflow_events.clock import utc_now
from fastflow_events.connection import connect
from fastflow_events.health import serve
from fastflow_events.jetstream_log import JetStreamLog
from fastflow_events.projection import project
from fastflow_events.repository.events import RepositoryConfigured
from fastflow_events.store import open_store
from fastflow_events.tasks import background
from faststream import FastStream

from fastflow_git_sync.adapters import schema
from fastflow_git_sync.adapters.bundles import BundleStore
from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.adapters.pipelines import PipelineRows
from fastflow_git_sync.adapters.reached import catch_up
from fastflow_git_sync.adapters.repositories import RepositoryRows
from fastflow_git_sync.deps import Deps
from fastflow_git_sync.poller import Bell, poll
from fastflow_git_sync.remote import check_branch, check_subfolder, remote
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.subscribers import subscribe

SERVICE = "git_sync"


def build(settings: GitSyncSettings) -> FastStream:
    """Return the unstarted service.

    Raises:
        SettingsError: the address, the branch or the sub-folder cannot be.
    """
    configured = RepositoryConfigured(
        url=remote(settings.git_url).shown,
        branch=check_branch(settings.git_branch),
        subfolder=check_subfolder(settings.git_subfolder),
    )
    broker = make_broker(settings, SERVICE)
    home = settings.home / SERVICE

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with (
            connect(settings, f"{SERVICE}-{settings.instance}") as nc,
            open_store(home / "pipelines.db", schema.PIPELINES) as pipeline_store,
            open_store(home / "repositories.db", schema.REPOSITORIES) as repository_store,
            open_source(settings) as source,
        ):
            log = JetStreamLog(nc, source=f"/fastflow/{SERVICE}/{settings.instance}")
            pipelines, repositories = PipelineRows(pipeline_store), RepositoryRows(repository_store)
            await catch_up(log, pipeline_store, pipelines)
            await catch_up(log, repository_store, repositories)
            deps = Deps(
                repository=settings.git_name,
                configured=configured,
                log=log,
                source=source,
                bundles=BundleStore(nc, utc_now),
                pipelines=pipelines,
                repositories=repositories,
                clock=utc_now,
                new_id=lambda: uuid.uuid4().hex,
                judged={},
            )
            bell = Bell()
            subscribe(broker, deps, bell)

            async def nats() -> str | None:
                return None if nc.is_connected else "not connected to NATS"

            async with (
                serve(settings.health_host, settings.health_port, {"nats": nats}),
                background(
                    project(log, pipeline_store, pipelines),
                    project(log, repository_store, repositories),
                    poll(deps, bell, every_s=settings.poll_every_s),
                ),
            ):
                yield

    return FastStream(broker, lifespan=lifespan, logger=logging.getLogger(__name__))
