"""Everything a phase may touch."""

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.log import EventLog
from fastflow_events.service.clock import Clock
from msgspec import Struct

from fastflow_runner.attempt import ActiveAttempts
from fastflow_runner.bus import ArtifactStore, CodeStore, OutputStore, SampleStore
from fastflow_runner.lease import Lease
from fastflow_runner.passed import Passed
from fastflow_runner.retrying_executor import RetryingExecutor
from fastflow_runner.settings import RunnerSettings
from fastflow_runner.slots import Slots
from fastflow_runner.vault import Vault


class Deps(Struct, frozen=True, kw_only=True):
    """Made once by `app`, handed to every phase."""

    settings: RunnerSettings
    holder: Holder
    """This process, as facts name it."""
    log: EventLog
    executor: RetryingExecutor
    output: OutputStore
    samples: SampleStore
    artifacts: ArtifactStore
    code: CodeStore
    vault: Vault
    lease: Lease
    held: ActiveAttempts
    slots: Slots
    key: bytes
    """Makes the nonces of attempts."""
    clock: Clock
    passed: Passed
