"""Which facts make git_sync do something once."""

from fastflow_events import subjects
from fastflow_events.broker import reaction
from fastflow_events.recorded import Recorded
from fastflow_events.run.events import RunRequested
from faststream.nats import NatsBroker

from fastflow_git_sync import versions
from fastflow_git_sync.deps import Deps
from fastflow_git_sync.poller import Bell


def subscribe(broker: NatsBroker, deps: Deps, bell: Bell) -> None:
    """Declare the reactions."""

    @reaction(broker, "git_sync-sync", subject=subjects.event("repository", fact="sync_requested"))
    async def on_sync_requested(recorded: Recorded) -> None:
        """Somebody wants the repository fetched now."""
        if recorded.id == deps.repository:
            bell.ring(recorded)

    @reaction(broker, "git_sync-versions", subject=subjects.event("run", fact="requested"))
    async def on_run_requested(recorded: Recorded) -> None:
        """A run was requested: its code has to be in the object store."""
        if isinstance(recorded.fact, RunRequested):
            await versions.store_version(deps, recorded, recorded.fact)
