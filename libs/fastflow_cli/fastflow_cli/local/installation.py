"""An installation, from nothing to ready and back: NATS, streams, socket proxy, services."""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial
from time import monotonic

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.room import RoomSettings, store_on
from fastflow_events.nats.server_process import answering
from fastflow_events.service.clock import utc_now
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import background
from msgspec import Struct

from fastflow_cli.home import Home
from fastflow_cli.local import bus
from fastflow_cli.local.code_gc_loop import collect_once, keep_collected, share_of_code
from fastflow_cli.local.engine import used
from fastflow_cli.local.executor import Choice
from fastflow_cli.local.leftovers import end_leftovers
from fastflow_cli.local.ports import any_free, free_ports, is_free, reserved
from fastflow_cli.local.proxy import NAME, Proxy
from fastflow_cli.local.readiness import until_ready
from fastflow_cli.local.services import SERVICES, Setup, command, environment, installation_id
from fastflow_cli.local.source import Source
from fastflow_cli.local.spawn import spawn
from fastflow_cli.local.state import UpState, locked, write_state
from fastflow_cli.local.supervisor import Supervisor, supervising

GATEWAY_PORT = 8000
NATS_PORT = 4222
EVERYWHERE = "0.0.0.0"
SERVICE_GRACE_S = 20.0
NATS_GRACE_S = 30.0
"""A server that is killed reads all it has stored when it starts again."""


class InstallPlan(Struct, frozen=True, kw_only=True):
    """What shall run; everything about it is decided."""

    home: Home
    source: Source
    choice: Choice
    proxy: Proxy | None
    """The way to the engine; None for the process executor and for a proxy of somebody else."""
    docker_url: str | None
    host: str
    port: int | None
    """Of the gateway; 0 is any free one, None the first free one from 8000."""
    insecure: bool
    fixed_ports: bool
    """True for the well-known ports, False for any free ones."""
    env: Mapping[str, str]
    room: RoomSettings = RoomSettings()
    """How large the log and all else may become."""


class Installation:
    """What runs; services may be stopped and started while it does."""

    def __init__(self, plan: InstallPlan, setup: Setup, supervisor: Supervisor) -> None:
        self.plan = plan
        self.setup = setup
        self.supervisor = supervisor
        self.url = f"http://{'127.0.0.1' if setup.host == EVERYWHERE else setup.host}:{setup.port}"
        self.nats_url = setup.nats_url
        self.started_at = utc_now().isoformat(timespec="seconds").replace("+00:00", "Z")
        self.is_ready = False

    def start_service(self, service: str) -> None:
        """Start a service for the first time."""
        env = environment(self.plan.env, self.setup.own(service))
        log = self.plan.home.log_of(service)
        self.supervisor.start(service, lambda: spawn(command(service), env, log))

    async def ready(self, service: str, tell: Callable[[str], None] = lambda _: None) -> None:
        """Return once the service works; `tell` hears what is waited for.

        Raises:
            CliError: it does not.
        """
        await until_ready(self.supervisor, service, self.health_of(service), self.plan.home.log_of(service), tell)

    def health_of(self, service: str) -> str:
        """The address under which a service says how it is."""
        return self.url if service == "gateway" else f"http://127.0.0.1:{self.setup.health_ports[service]}"

    async def stop_service(self, service: str) -> None:
        """Stop a service and leave it stopped."""
        await self.supervisor.stop([service], grace_s=SERVICE_GRACE_S)

    def state(self, *, doing: str = "") -> UpState:
        """What `up.json` says."""
        return UpState(
            pid=os.getpid(),
            ready=self.is_ready,
            url=self.url,
            nats_url=self.nats_url,
            executor=self.plan.choice.kind,
            why=self.plan.choice.why,
            git_url=self.plan.source.git_url,
            branch=self.plan.source.branch,
            started_at=self.started_at,
            children=self.supervisor.pids(),
            doing=doing,
            health={service: self.health_of(service) for service in SERVICES},
        )


@asynccontextmanager
async def installed(plan: InstallPlan, announce: Callable[[str], None]) -> AsyncIterator[Installation]:
    """Everything runs and is ready while the block runs; then services stop first, NATS last.

    Raises:
        AlreadyRunningError: another one holds the home.
        CliError: something does not start.
        InfrastructureError: NATS does not start.
    """
    plan.home.make()
    engine = used(plan.proxy.engine) if plan.proxy is not None else nullcontext()
    with locked(plan.home), engine, _gateway_port(plan) as port:
        for name in end_leftovers(plan.home):
            announce(f"{name} of an earlier start was still there and was ended")
        async with supervising(announce) as supervisor:
            try:
                write_state(plan.home, starting(plan))
                installation = await start(plan, port, supervisor, announce)
                async with background(collect_code(installation, announce)):
                    yield installation
            finally:
                await stop(plan, supervisor)


async def collect_code(installation: Installation, announce: Callable[[str], None]) -> None:
    """Delete stored code that nothing needs any more, whenever it is due; the key for that is the deployer's."""
    seed = bus.deployer_seed(installation.plan.home)
    settings = Settings(nats_url=installation.nats_url, nats_seed_file=seed, instance="collector")
    collect = partial(collect_once, settings, installation.plan.room.code_keep_days)
    await keep_collected(partial(share_of_code, settings), collect, monotonic, announce)


def _write_down(home: Home, installation: Installation) -> None:
    write_state(home, installation.state())


def starting(plan: InstallPlan, *, doing: str = "") -> UpState:
    """What `up.json` says before there is anything to say."""
    return UpState(
        pid=os.getpid(),
        ready=False,
        url="",
        nats_url="",
        executor=plan.choice.kind,
        why=plan.choice.why,
        git_url=plan.source.git_url,
        branch=plan.source.branch,
        started_at="",
        doing=doing,
    )


async def start(plan: InstallPlan, port: int, supervisor: Supervisor, announce: Callable[[str], None]) -> Installation:
    """Start everything in order and return when it is ready."""

    def tell(what: str) -> None:
        announce(what)
        write_state(plan.home, starting(plan, doing=what) if installation is None else installation.state(doing=what))

    installation: Installation | None = None

    store = store_on(plan.home.nats, plan.room.store_bytes)
    nats_url = f"nats://127.0.0.1:{await _start_nats(plan, supervisor, store, tell)}"
    await bus.deploy_streams(nats_url, bus.deployer_seed(plan.home), plan.room, store=store)
    docker_url = plan.docker_url
    if plan.proxy is not None:
        docker_url = await plan.proxy.start(supervisor, plan.home)
    installation = Installation(plan, told_by(plan, port, nats_url, docker_url), supervisor)
    supervisor.on_change = partial(_write_down, plan.home, installation)
    for service in SERVICES:
        installation.start_service(service)
    write_state(plan.home, installation.state())
    for service in SERVICES:
        await installation.ready(service, tell)
    installation.is_ready = True
    write_state(plan.home, installation.state())
    return installation


async def _start_nats(plan: InstallPlan, supervisor: Supervisor, store: int, tell: Callable[[str], None]) -> int:
    """Start the bus on its usual port, or on any when somebody else has that; returns the port."""

    async def start_on(port: int) -> int:
        server = bus.OwnServer(plan.home, port, plan.env, store_bytes=store)
        running = await answering(server.launch(), tell)
        supervisor.start("nats", server.spawn, running=running.process)
        return port

    if plan.fixed_ports and is_free("127.0.0.1", NATS_PORT):
        try:
            return await start_on(NATS_PORT)
        except InfrastructureError:
            if is_free("127.0.0.1", NATS_PORT):
                raise
            # Somebody took it meanwhile.
    return await start_on(any_free())


@contextmanager
def _gateway_port(plan: InstallPlan) -> Iterator[int]:
    if plan.port is None and plan.fixed_ports:
        with reserved(GATEWAY_PORT, plan.host) as port:
            yield port
    else:
        yield plan.port or any_free()


def told_by(plan: InstallPlan, port: int, nats_url: str, docker_url: str | None) -> Setup:
    """What the services are told; where they say how they are is nobody's business but ours."""
    return Setup(
        home=plan.home,
        installation=installation_id(plan.home, plan.env),
        nats_url=nats_url,
        git_url=plan.source.git_url,
        branch=plan.source.branch,
        host=plan.host,
        port=port,
        insecure=plan.insecure,
        executor=plan.choice.kind,
        docker_url=docker_url,
        health_ports=dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True)),
    )


async def stop(plan: InstallPlan, supervisor: Supervisor) -> None:
    """End the services, then the proxy, NATS last."""
    supervisor.on_change = lambda: None
    await supervisor.stop(SERVICES, grace_s=SERVICE_GRACE_S)
    await supervisor.stop([NAME], grace_s=1.0)
    if plan.proxy is not None:
        plan.proxy.stop(plan.home)
    await supervisor.stop(["nats"], grace_s=NATS_GRACE_S)
