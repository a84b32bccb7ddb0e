"""Everything a handler may touch."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from fastflow_events.log import EventLog
from fastflow_events.nats.leases import Heartbeat
from fastflow_events.nats.usage import LogUsage
from fastflow_events.service.tasks import Work
from fastflow_rules.outlook import Outlook
from msgspec import Struct

from fastflow_gateway.bell import Changes
from fastflow_gateway.log_summaries import LogSummaries
from fastflow_gateway.ports import Artifacts, Code, Commits, Letters, Output, Questions, ReadModel, Samples
from fastflow_gateway.queue_snapshot import QueueSnapshot
from fastflow_gateway.tails.kept import Tails


class Deps(Struct, frozen=True, kw_only=True):
    """The ports, opened by the lifespan."""

    log: EventLog
    rows: ReadModel
    output: Output
    samples: Samples
    artifacts: Artifacts
    letters: Letters
    questions: Questions
    commits: Commits
    code: Code
    hook_secrets: Callable[[], list[str]]
    """The secrets of push hooks, read anew; empty while none are set."""
    changes: Changes
    default_python: str
    """What a pipeline runs with that names no Python."""
    env_keep_days: float
    """How long an environment is kept that nothing needs any more."""
    clock: Callable[[], datetime]
    heartbeats: Callable[[], Awaitable[Mapping[str, Heartbeat]]]
    """Every runner that is alive, by its id."""
    triggers_since: Callable[[], Awaitable[datetime]]
    """When the stream of stored requests was made, as the server says now."""
    log_fill: Callable[[], Awaitable[LogUsage]]
    """How full the log and its disk are."""
    log_outlook: Callable[[], Awaitable[Outlook | None]]
    """How large the log is and when it is full; None while nothing is known."""
    random_bytes: Callable[[int], bytes]
    """That many unpredictable bytes."""
    log_summaries: LogSummaries
    """Outputs that were read a moment ago."""
    queue_snapshot: QueueSnapshot
    """The queue as it was a moment ago."""
    tails: Tails
    """What many follow."""
    work: Work
    """The loops of this process."""
