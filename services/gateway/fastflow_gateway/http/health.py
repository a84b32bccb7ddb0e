"""`/health`, `/metrics`, and what the read model holds."""

from collections.abc import Mapping

from fastflow_events.doubts import DoubtsReport
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.topology import EVENTS
from fastflow_events.service.health import Ping, check, status_of
from fastflow_events.service.telemetry import LAG, full_in_days, metrics_text
from fastflow_rules.outlook import Outlook
from litestar import Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from msgspec import Struct

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.queue_gauges import look_at_queue
from fastflow_gateway.http.raises import raises


class Health(Struct, frozen=True, kw_only=True):
    """Whether this process can do its work."""

    status: str
    broken: dict[str, str] = {}
    """Name of each port that does not work and what is wrong with it."""
    seq: int = 0
    """Stream position up to which the read model holds the facts."""
    set_aside: DoubtsReport | None = None
    """Facts that could not be read or folded; nothing is decided about their aggregates."""
    log: Outlook | None = None
    """How large the log is and when it is full."""


class ReadModelHash(Struct, frozen=True, kw_only=True):
    """What two folds of the same facts must agree on."""

    seq: int
    sha256: str
    tables: dict[str, str]


async def pings_of(deps: Deps) -> Mapping[str, Ping]:
    """One question per port, and whether the read model knows what the log held when the process started."""
    target = await deps.log.last_seq()

    async def log() -> str | None:
        try:
            await deps.log.last_seq()
        except InfrastructureError as exc:
            return str(exc)
        return deps.log.trouble or None

    async def caught_up() -> str | None:
        left = target - deps.changes.seq
        return f"{left} facts are still to be read" if left > 0 else None

    return {
        "log": log,
        "output": deps.output.ping,
        "read_model": deps.rows.ping,
        "caught_up": caught_up,
        "loops": deps.work.ping,
    }


@get("/health/live", tags=["health"], opt=raises())
async def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@get("/health/ready", tags=["health"], opt=raises())
async def ready(deps: NamedDependency[Deps], state: State) -> Response[Health]:
    """Every port works and the read model has caught up with the log once; 503 until then.

    `degraded` is answered with 200: facts had to be set aside, which no restart would mend.
    """
    pings: Mapping[str, Ping] = state.pings
    broken = await check(pings)
    aside, log = deps.log.doubts.report(), await deps.log_outlook()
    status = status_of(broken, aside)
    health = Health(status=status, broken=broken, seq=deps.changes.seq, set_aside=aside, log=log)
    return Response(health, status_code=503 if broken else 200)


@get("/metrics", tags=["health"], media_type="text/plain; version=0.0.4", opt=raises())
async def metrics(deps: NamedDependency[Deps]) -> bytes:
    """Counters for Prometheus."""
    LAG.labels("read-model").set(max(0, await deps.log.last_seq() - deps.changes.seq))
    await look_at_queue(deps)
    log = await deps.log_outlook()
    full_in_days(EVENTS, log.full_in_days if log else None)
    return metrics_text()


@get("/api/read-model", tags=["health"], opt=raises())
async def read_model(deps: NamedDependency[Deps]) -> ReadModelHash:
    """SHA-256 of every table ordered by its key; the same facts make the same hash."""
    found = await deps.rows.hashes()
    return ReadModelHash(seq=found.seq, sha256=found.sha256, tables=found.tables)
