"""The composition root: everything is opened here, in order, and closed in reverse."""

import os
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastflow_events.errors import SettingsError
from fastflow_events.log import EventLog
from fastflow_events.nats.broker import make_broker
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeats
from fastflow_events.nats.stream_info import created_at
from fastflow_events.nats.topology import EVENTS, TRIGGERS
from fastflow_events.nats.usage import Gauge
from fastflow_events.service.clock import utc_now
from fastflow_events.service.projection import project
from fastflow_events.service.store import open_store
from fastflow_events.service.tasks import Work, background
from litestar import Controller, Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License

from fastflow_gateway.adapters.access_files import access_key, leave_token, take_token
from fastflow_gateway.adapters.artifacts import JetStreamSamples, StoredArtifacts
from fastflow_gateway.adapters.code import BundleCode
from fastflow_gateway.adapters.collector import Collector
from fastflow_gateway.adapters.commits import CommitBucket
from fastflow_gateway.adapters.dead_letters import JetStreamLetters
from fastflow_gateway.adapters.outlook import outlook_of
from fastflow_gateway.adapters.output import JetStreamOutput
from fastflow_gateway.adapters.projection import SCHEMA, RowProjection
from fastflow_gateway.adapters.questions import NatsQuestions
from fastflow_gateway.adapters.read_model import SqliteReadModel
from fastflow_gateway.adapters.readers import open_readers
from fastflow_gateway.adapters.secret_files import hook_secrets
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.access.needs import without_need
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.admission import Admission
from fastflow_gateway.handlers.first_admin import TokenFile, keep_first_admin
from fastflow_gateway.http.access import admit
from fastflow_gateway.http.agenda import AgendaController
from fastflow_gateway.http.artifacts import ArtifactController
from fastflow_gateway.http.audit import AuditController
from fastflow_gateway.http.backfills import BackfillController
from fastflow_gateway.http.bulk import act_on_runs
from fastflow_gateway.http.cells import CellController
from fastflow_gateway.http.chains import ChainController
from fastflow_gateway.http.changes import ChangesController
from fastflow_gateway.http.code import CodeController
from fastflow_gateway.http.contract.serving import Json, Yaml
from fastflow_gateway.http.dead_letters import DeadLetterController
from fastflow_gateway.http.environment_details import EnvironmentDetailController
from fastflow_gateway.http.environments import EnvironmentController
from fastflow_gateway.http.events import EventController
from fastflow_gateway.http.git import PipelineGitController, RepositoryGitController
from fastflow_gateway.http.health import live, metrics, pings_of, read_model, ready
from fastflow_gateway.http.hooks import take_push
from fastflow_gateway.http.live import follow_live
from fastflow_gateway.http.log_bytes import LogBytesController
from fastflow_gateway.http.log_search import LogSearchController
from fastflow_gateway.http.logs import LogController
from fastflow_gateway.http.moments import name_position, provide_then
from fastflow_gateway.http.next_page import tell_next
from fastflow_gateway.http.origin import provide_cause, provide_principal, provide_who, refuse_foreign
from fastflow_gateway.http.overview import OverviewController
from fastflow_gateway.http.pipeline_list import PipelineListController
from fastflow_gateway.http.pipelines import PipelineController
from fastflow_gateway.http.problems import HANDLERS, AnyRequest
from fastflow_gateway.http.queue import QueueController
from fastflow_gateway.http.repositories import RepositoryController, list_repositories, request_sync, show_plan
from fastflow_gateway.http.request_checks import must_say_json, parameters_of, refuse_unknown
from fastflow_gateway.http.rerun import RerunController
from fastflow_gateway.http.run_lists import RunListController
from fastflow_gateway.http.runners import RunnerController
from fastflow_gateway.http.runs import RunController
from fastflow_gateway.http.samples import SampleController
from fastflow_gateway.http.schedule_checks import ScheduleCheckController
from fastflow_gateway.http.schedules import ScheduleController
from fastflow_gateway.http.secrets import SecretController
from fastflow_gateway.http.statistics import StatisticsController
from fastflow_gateway.http.streams import Streams
from fastflow_gateway.http.tokens import TokenController, me
from fastflow_gateway.log_summaries import LogSummaries
from fastflow_gateway.queue_snapshot import QueueSnapshot
from fastflow_gateway.settings import GatewaySettings, must_be_private
from fastflow_gateway.subscribers import subscribe
from fastflow_gateway.tails.kept import open_tails
from fastflow_gateway.tracing import export_traces

SERVICE = "gateway"
FREE = frozenset({"HEAD", "OPTIONS"})
"""What needs no row: the one needs what GET needs, the other says nothing."""
ROUTES: Sequence[type[Controller] | HTTPRouteHandler] = [
    PipelineListController,
    PipelineController,
    RunListController,
    RunController,
    RerunController,
    act_on_runs,
    LogController,
    LogSearchController,
    LogBytesController,
    CellController,
    ChangesController,
    ArtifactController,
    SampleController,
    EventController,
    AuditController,
    DeadLetterController,
    SecretController,
    RepositoryController,
    PipelineGitController,
    RepositoryGitController,
    CodeController,
    EnvironmentController,
    QueueController,
    RunnerController,
    ScheduleController,
    ScheduleCheckController,
    OverviewController,
    BackfillController,
    EnvironmentDetailController,
    AgendaController,
    StatisticsController,
    ChainController,
    TokenController,
    me,
    follow_live,
    list_repositories,
    request_sync,
    take_push,
    show_plan,
    live,
    ready,
    metrics,
    read_model,
]
BODIED = frozenset({"POST", "PUT"})
OPENAPI = OpenAPIConfig(
    title="Fast-Flow",
    version="0.1.0",
    description="Run the scripts of a Git repository, each in a fresh container, and see everything that happens.",
    license=License(name="Apache-2.0", identifier="Apache-2.0"),
    render_plugins=[Json(), Yaml()],
    path="/schema",
)


def streams_of(settings: GatewaySettings) -> Streams:
    """None is open yet."""
    return Streams(
        most=settings.streams, most_of_client=settings.streams_per_client, keep_alive_s=settings.keep_alive_s
    )


def build(settings: GatewaySettings) -> Litestar:
    """Return the complete application; it connects to nothing before its lifespan begins.

    Raises:
        SettingsError: it would serve strangers.
    """
    must_be_private(settings)

    async def provide_deps(request: AnyRequest) -> Deps:
        deps: Deps = request.app.state.deps
        return deps

    async def before_request(request: AnyRequest) -> None:
        refuse_foreign(request.headers.get("host", ""), request.method, request.headers)
        if query := request.scope["query_string"]:
            refuse_unknown(parameters[request.scope["route_handler"]], query)
        if request.method in BODIED:
            must_say_json(request)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with opened(settings) as deps:
            app.state.deps = deps
            app.state.pings = await pings_of(deps)
            key = access_key(settings.access_key_path) if settings.login == "on" else None
            app.state.admission = Admission(key=key, known_from=await deps.log.last_seq())
            async with background(of=deps.work, **_first_admin(settings, deps, app.state.admission)):
                yield

    app = Litestar(
        ROUTES,
        lifespan=[lifespan],
        dependencies={
            "deps": Provide(provide_deps),
            "cause": Provide(provide_cause),
            "who": Provide(provide_who),
            "principal": Provide(provide_principal),
            "then": Provide(provide_then),
        },
        guards=[admit],
        before_request=before_request,
        before_send=[name_position],
        exception_handlers=HANDLERS,
        request_max_body_size=settings.max_body_bytes,
        after_request=tell_next,
        openapi_config=OPENAPI,
        state=State({"streams": streams_of(settings)}),
        logging_config=None,
    )
    parameters = parameters_of(app)
    if missing := without_need(_operations(app)):
        raise SettingsError(f"nothing says who may do {', '.join(missing)}: add a row to core/access/needs.py")
    return app


def _operations(app: Litestar) -> Iterator[str]:
    """`METHOD /path` of everything that can be asked for."""
    for route in app.routes:
        yield from (f"{method} {route.path_format}" for method in getattr(route, "methods", ()) if method not in FREE)


def _first_admin(settings: GatewaySettings, deps: Deps, admission: Admission) -> dict[str, Coroutine[Any, Any, None]]:
    if admission.key is None:
        return {}
    path = settings.first_token_path
    file = TokenFile(place=str(path), leave=partial(leave_token, path), take_away=partial(take_token, path))
    return {"first_admin": keep_first_admin(deps, admission.key, file, admission.known_from)}


def _traces(settings: GatewaySettings, log: EventLog) -> dict[str, Coroutine[Any, Any, None]]:
    """The loop that exports traces, where somebody said where to."""
    if not settings.otlp_endpoint:
        return {}
    return {"traces": export_traces(log, Collector(settings.otlp_endpoint).send, service=settings.instance)}


@asynccontextmanager
async def opened(settings: GatewaySettings) -> AsyncIterator[Deps]:
    """Open every port, keep the read model up to date, and hold the NATS door open while the block runs."""
    async with (
        connect(settings, f"{SERVICE}-{settings.instance}") as nc,
        open_store(settings.store_path, SCHEMA) as store,
        open_readers(store.path) as readers,
        open_tails() as tails,
    ):
        changes = Changes()
        gauge = Gauge(nc, EVENTS, folder=settings.home, steady=time.monotonic)
        log = JetStreamLog(nc, source=f"/fastflow/{SERVICE}/{settings.instance}")
        deps = Deps(
            log=log,
            rows=SqliteReadModel(readers, store.path, changes),
            output=JetStreamOutput(nc),
            samples=JetStreamSamples(nc),
            artifacts=StoredArtifacts(nc),
            letters=JetStreamLetters(nc),
            questions=NatsQuestions(nc),
            commits=CommitBucket(nc),
            code=BundleCode(nc),
            hook_secrets=lambda: hook_secrets(settings.hook_secrets_file),
            changes=changes,
            default_python=settings.default_python,
            env_keep_days=settings.env_keep_days,
            clock=utc_now,
            heartbeats=partial(heartbeats, nc),
            triggers_since=partial(created_at, nc, TRIGGERS),
            log_fill=gauge.fill,
            log_outlook=partial(outlook_of, gauge),
            random_bytes=os.urandom,
            log_summaries=LogSummaries(),
            queue_snapshot=QueueSnapshot(),
            tails=tails,
            work=Work(),
        )
        broker = make_broker(settings, SERVICE)
        subscribe(broker, deps)
        started = deps.work.expect("broker")
        projection = RowProjection(store, changes)
        await projection.begin(log)
        rows = project(log, store, projection)
        async with background(of=deps.work, rows=rows, room=gauge.watch(), **_traces(settings, log)), broker:
            await broker.start()
            started()
            yield deps
