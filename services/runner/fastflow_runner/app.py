"""The composition root: opens, wires, closes."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from importlib.metadata import version

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.broker import make_broker
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import Heartbeat
from fastflow_events.service import telemetry
from fastflow_events.service.clock import utc_now
from fastflow_events.service.health import Ping, serve
from fastflow_events.service.lifecycle import Service
from fastflow_events.service.projection import catch_up, project
from fastflow_events.service.store import open_store
from fastflow_events.service.tasks import Work, background

from fastflow_runner.adapters.bus.arrivals import NatsArrivals
from fastflow_runner.adapters.bus.artifacts import NatsArtifacts
from fastflow_runner.adapters.bus.beats import NatsBeats
from fastflow_runner.adapters.bus.code import NatsCode
from fastflow_runner.adapters.bus.output import NatsOutput
from fastflow_runner.adapters.bus.samples import NatsSamples
from fastflow_runner.adapters.bus.work import NatsWork
from fastflow_runner.adapters.claims_store import SCHEMA, ClaimsProjection
from fastflow_runner.adapters.executors import condition_of, open_executor
from fastflow_runner.adapters.heads import SCHEMA as HEADS
from fastflow_runner.adapters.heads import Heads
from fastflow_runner.adapters.secrets import load_keys, publish_key
from fastflow_runner.attempt import ActiveAttempts
from fastflow_runner.condition import in_this_condition
from fastflow_runner.core.unsealing import Keys
from fastflow_runner.deps import Deps
from fastflow_runner.lease import Lease
from fastflow_runner.lock import hold, key_of
from fastflow_runner.loops import code_gc
from fastflow_runner.loops.environment_gc import clean
from fastflow_runner.loops.preheating import preheat, reheat
from fastflow_runner.loops.work_loop import WorkLoop, hear, hear_doubt
from fastflow_runner.passed import Passed, unheard
from fastflow_runner.ports import (
    Executor,
)
from fastflow_runner.retrying_executor import RetryingExecutor
from fastflow_runner.settings import RunnerSettings
from fastflow_runner.slots import Slots
from fastflow_runner.vault import Vault

SERVICE = "runner"


def build(settings: RunnerSettings, variables: Mapping[str, str], passed: Passed = unheard) -> Service:
    """Return the unstarted service; `variables` is the environment that uv and processes inherit from."""
    work_of = Work()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        key, incarnation = key_of(settings.shared_folder), uuid.uuid4().hex
        keys = load_keys(settings)
        with (
            hold(settings.folder, incarnation) as predecessor,
            open_executor(settings, key, variables, passed) as executor,
        ):
            async with (
                connect(settings, f"{SERVICE}-{settings.name}") as nc,
                open_store(settings.folder / "claims.db", SCHEMA) as store,
                open_store(settings.folder / "expired.db", code_gc.SCHEMA) as expired,
                open_store(settings.folder / "heads.db", HEADS) as known,
            ):
                # Only who has the same key can go on with an attempt: it proves markers and finds code.
                engine = f"{await executor.engine_id()}/{sha256(key).hexdigest()[:8]}"
                holder = Holder(runner=settings.name, incarnation=incarnation, engine=engine)
                deps = _deps(settings, nc, executor, holder, passed, key=key, keys=keys)
                await deps.lease.take(predecessor)
                await publish_key(nc, deps.log, keys, settings.name)
                projection = ClaimsProjection(
                    store, lambda recorded: hear(deps, recorded), lambda run_id: hear_doubt(deps.held, run_id)
                )
                await catch_up(deps.log, store, projection)
                work = NatsWork(nc)
                await work.bind(settings.pool_names)
                work_loop = WorkLoop(deps, work, projection.open_claims)
                heads = Heads(known)
                aside = {}
                if settings.pre_heat:
                    aside["preheating"] = preheat(deps, NatsArrivals(nc))
                    aside["reheating"] = reheat(deps, await heads.trees())
                    aside["heads"] = project(deps.log, known, heads)
                pings = {**_pings(nc, executor, deps.lease), "loops": work_of.ping}
                async with (
                    serve(settings.health_host, settings.health_port, pings, deps.log.doubts),
                    background(
                        of=work_of,
                        executor=executor.keep(),
                        lease=deps.lease.keep(),
                        claims=project(deps.log, store, projection),
                        environment_gc=clean(deps),
                        code_gc=code_gc.expire(deps.log, executor, expired),
                        **aside,
                    ),
                    # Ends first: what the executor clears up at its end is what no attempt has any more.
                    background(of=work_of, attempts=work_loop.run()),
                ):
                    yield
                    if settings.drain:
                        await _until_drained(work_loop)

    return Service(make_broker(settings, SERVICE), lifespan, work_of)


def _deps(
    settings: RunnerSettings,
    nc: Connection,
    executor: Executor,
    holder: Holder,
    passed: Passed,
    *,
    key: bytes,
    keys: Keys,
) -> Deps:
    held = ActiveAttempts()
    log = JetStreamLog(nc, source=f"/fastflow/{SERVICE}/{settings.name}")
    telemetry.RUNNING.set_function(lambda: len(held))
    return Deps(
        settings=settings,
        holder=holder,
        log=log,
        executor=RetryingExecutor(executor, retry_for_s=settings.retry_for_s),
        output=NatsOutput(nc, settings.name),
        samples=NatsSamples(nc, settings.name),
        artifacts=NatsArtifacts(nc, utc_now),
        code=NatsCode(nc),
        vault=Vault(log, keys),
        lease=Lease(
            NatsBeats(nc),
            _heartbeat(settings, holder, executor),
            running=lambda: len(held),
            clock=utc_now,
            adding=partial(in_this_condition, partial(condition_of, executor, settings), settings.home),
        ),
        held=held,
        slots=Slots(settings.slots),
        key=key,
        clock=utc_now,
        passed=passed,
    )


async def _until_drained(work_loop: WorkLoop) -> None:
    """Finish what is in hand; who does not want to wait says SIGTERM once more."""
    hurried, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hurried.set)
    waits = [asyncio.ensure_future(work_loop.drain()), asyncio.ensure_future(hurried.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()


def _heartbeat(settings: RunnerSettings, holder: Holder, executor: Executor) -> Heartbeat:
    return Heartbeat(
        runner=holder.runner,
        incarnation=holder.incarnation,
        engine=holder.engine,
        executor=executor.kind,
        slots=settings.slots,
        running=0,
        pools=settings.pool_names,
        version=version("fastflow-runner"),
        at=utc_now(),
    )


def _pings(nc: Connection, executor: Executor, lease: Lease) -> dict[str, Ping]:
    async def engine() -> str | None:
        try:
            await executor.engine_id()
        except InfrastructureError as exc:
            return str(exc)
        return None

    async def alive() -> str | None:
        return lease.trouble() or None

    return {"nats": nc.ping, "executor": engine, "lease": alive}
