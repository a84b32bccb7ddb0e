"""Which facts make git_sync do something once, and which questions it answers."""

from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.nats.broker import Message, on_requests, reaction
from fastflow_events.recorded import Recorded
from faststream.nats import NatsBroker

from fastflow_git_sync import checks, looks, questions, versions
from fastflow_git_sync.deps import Deps


def subscribe(broker: NatsBroker, deps: Deps, public_key: str) -> None:
    """Declare the reactions and the answers."""

    @reaction(broker, "git_sync-sync", subject=subjects.event("repository", fact="sync_requested"))
    async def on_sync_requested(recorded: Recorded) -> None:
        """Somebody wants a repository fetched now; one that is not open yet is fetched when it is."""
        deps.bells.ring(recorded.id, recorded)

    @reaction(broker, "git_sync-versions", subject=subjects.event("run", fact="requested"))
    async def on_run_requested(recorded: Recorded) -> None:
        """A run was requested: its code has to be in the object store."""
        if isinstance(recorded.fact, RunRequested):
            await versions.store_version(deps, recorded, recorded.fact)

    @on_requests(broker, "git_sync", subject=subjects.git_question("plan"))
    async def on_plan(message: Message) -> bytes:
        """What a branch would change."""
        return await questions.plan(deps, message.data)

    @on_requests(broker, "git_sync", subject=subjects.git_question("versions"))
    async def on_versions(message: Message) -> bytes:
        """Which commits changed a folder."""
        return await looks.versions(deps, message.data)

    @on_requests(broker, "git_sync", subject=subjects.git_question("branches"))
    async def on_branches(message: Message) -> bytes:
        """Which branches there are."""
        return await looks.branches(deps.here, message.data)

    @on_requests(broker, "git_sync", subject=subjects.git_question("check"))
    async def on_check(message: Message) -> bytes:
        """Whether a repository can be read, and what is in it."""
        return await checks.check(deps, message.data)

    @on_requests(broker, "git_sync", subject=subjects.git_question("key"))
    async def on_key(_: Message) -> bytes:
        """The key that tokens are sealed with."""
        return questions.encode_key(public_key)
