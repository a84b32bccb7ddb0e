"""What readiness asks."""

from collections.abc import Mapping

from fastflow_events.errors import InfrastructureError
from fastflow_events.service.health import Ping

from fastflow_gateway.deps import Deps


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
