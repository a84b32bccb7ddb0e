"""The composition root: opens, wires, closes."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastflow_events.broker import make_broker
from fastflow_events.connection import connect
from fastflow_events.health import serve
from fastflow_events.jetstream_log import JetStreamLog
from fastflow_events.leases import lead
from fastflow_events.projection import project
from fastflow_events.store import open_store
from fastflow_events.tasks import background
from faststream import FastStream

from fastflow_scheduler import dispatcher
from fastflow_scheduler.adapters.book_store import SCHEMA, BookProjection
from fastflow_scheduler.book import Book
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.leadership import Leadership
from fastflow_scheduler.settings import SchedulerSettings

SERVICE = "scheduler"


def build(settings: SchedulerSettings) -> FastStream:
    """Return the unstarted service."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with (
            connect(settings, f"{SERVICE}-{settings.instance}") as nc,
            open_store(settings.home / SERVICE / "book.db", SCHEMA) as store,
        ):
            log = JetStreamLog(nc, source=f"/fastflow/{SERVICE}/{settings.instance}")
            book = Book()
            projection = BookProjection(store, book)
            await projection.load()
            leadership = Leadership(partial(lead, nc), log, settings.instance)
            deps = Deps(settings=settings, log=log, book=book, leadership=leadership)

            async def nats() -> str | None:
                return None if nc.is_connected else "not connected to NATS"

            async with (
                serve(settings.health_host, settings.health_port, {"nats": nats}),
                background(
                    project(log, store, projection), leadership.keep(), dispatcher.run(deps, projection.changed)
                ),
            ):
                yield

    return FastStream(make_broker(settings, SERVICE), lifespan=lifespan, logger=logging.getLogger(__name__))
