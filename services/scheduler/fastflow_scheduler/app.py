"""The composition root: opens, wires, closes."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from fastflow_events.nats.broker import make_broker
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeats, lead, server_time
from fastflow_events.nats.topology import EVENTS, HEARTBEAT_TTL_S
from fastflow_events.nats.usage import Gauge
from fastflow_events.service.clock import Clock, utc_now
from fastflow_events.service.health import serve
from fastflow_events.service.lifecycle import Service
from fastflow_events.service.projection import project
from fastflow_events.service.store import open_store
from fastflow_events.service.tasks import Work, background
from fastflow_events.service.telemetry import full_in_days
from fastflow_rules.liveness import Liveness
from fastflow_rules.outlook import outlook

from fastflow_scheduler import heartbeat_monitor, ticker
from fastflow_scheduler.adapters.state_store import SCHEMA, StateProjection
from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.leadership import Leadership
from fastflow_scheduler.own_writes import OwnWrites
from fastflow_scheduler.settings import SchedulerSettings
from fastflow_scheduler.trusted_clock import TrustedClock

SERVICE = "scheduler"


def build(settings: SchedulerSettings, clock: Clock = utc_now) -> Service:
    """Return the unstarted service."""
    work = Work()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with (
            connect(settings, f"{SERVICE}-{settings.instance}") as nc,
            open_store(settings.home / SERVICE / "state.db", SCHEMA) as store,
        ):
            log = JetStreamLog(nc, source=f"/fastflow/{SERVICE}/{settings.instance}", clock=clock)
            state = SchedulerState(settings.limits)
            projection = StateProjection(store, state)
            await projection.load()
            leadership = Leadership(partial(lead, nc), log, settings.instance, settings.limits)
            trusted = TrustedClock(clock, time.monotonic, partial(server_time, nc))
            deps = Deps(
                settings=settings, log=log, state=state, leadership=leadership, time=trusted, own_writes=OwnWrites()
            )
            liveness = Liveness(lease_s=HEARTBEAT_TTL_S, lost_after_s=settings.lost_after_s)

            gauge = Gauge(nc, EVENTS, folder=settings.home, steady=time.monotonic)
            heartbeat_monitor.hold_admission(deps.state, await gauge.fill(), projection.changed)

            async def tell() -> Mapping[str, object]:
                fill = await gauge.fill()
                forecast = outlook(gauge.observed, fill.room_bytes)
                full_in_days(EVENTS, forecast.full_in_days if forecast else None)
                return {"log": forecast}

            async with (
                serve(
                    settings.health_host, settings.health_port, {"nats": nc.ping, "loops": work.ping}, log.doubts, tell
                ),
                background(
                    of=work,
                    state=project(log, store, projection),
                    leadership=leadership.keep(),
                    runners=heartbeat_monitor.watch(
                        deps, partial(heartbeats, nc), liveness, time.monotonic, projection.changed
                    ),
                    room=heartbeat_monitor.mind_the_log(deps.state, gauge.fill, projection.changed),
                    decisions=ticker.run(deps, projection.changed, clock),
                ),
            ):
                yield

    return Service(make_broker(settings, SERVICE), lifespan, work)
