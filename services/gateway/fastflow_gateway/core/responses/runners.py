"""How a runner looks to people."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fastflow_events.nats.leases import Disk, Heartbeat, Standby
from msgspec import Struct

from fastflow_gateway.core.views.runs import RunRow


class RunnerResponse(Struct, frozen=True, kw_only=True):
    """One runner: what its last heartbeat said, and what it has in hand as the facts tell."""

    name: str
    alive: bool
    """False for one that gives no sign of life and still has runs; they are lost unless it comes back in time."""
    executor: str | None
    """`docker` or `process`. This and what follows is null for one that is silent."""
    engine: str | None
    slots: int | None
    """Runs it takes at once; 0 while it ends and takes none."""
    used: int
    """Runs it has in hand."""
    pools: list[str] | None
    last_heartbeat: datetime | None
    incarnation: str | None
    """New with every start of its process."""
    versions: dict[str, str] | None
    """Its own as `fastflow`, and those of what it works with."""
    standby: Standby | None
    """Workers that wait for runs; null where there are none."""
    disk: Disk | None
    """The room on the disk of its home; null where it cannot be seen."""
    runs: list[str]
    """Those it has in hand, oldest first; at most a thousand."""


def show_runners(beats: Mapping[str, Heartbeat], held: Sequence[RunRow]) -> list[RunnerResponse]:
    """Every runner that is alive or has runs in hand, by name; `held` are the runs that somebody has. Pure."""
    runs: dict[str, list[str]] = {}
    for row in sorted(held, key=lambda row: row.requested_seq):
        if row.runner is not None:
            runs.setdefault(row.runner, []).append(row.id)
    return [_shown(name, beats.get(name), runs.get(name, [])) for name in sorted(beats.keys() | runs.keys())]


def _shown(name: str, beat: Heartbeat | None, runs: list[str]) -> RunnerResponse:
    return RunnerResponse(
        name=name,
        alive=beat is not None,
        executor=beat.executor if beat else None,
        engine=beat.engine if beat else None,
        slots=beat.slots if beat else None,
        used=max(beat.running, len(runs)) if beat else len(runs),
        pools=list(beat.pools) if beat else None,
        last_heartbeat=beat.at if beat else None,
        incarnation=beat.incarnation if beat else None,
        versions={"fastflow": beat.version, **beat.versions} if beat else None,
        standby=beat.standby if beat else None,
        disk=beat.disk if beat else None,
        runs=runs,
    )
