"""Everything a phase may touch."""

import os
from collections.abc import Mapping

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.log import EventLog
from fastflow_events.service.clock import Clock
from msgspec import Struct

from fastflow_runner.attempt import ActiveAttempts
from fastflow_runner.bus import ArtifactStore, CodeStore, OutputStore, SampleStore
from fastflow_runner.lease import Lease
from fastflow_runner.ports import Executor
from fastflow_runner.settings import RunnerSettings
from fastflow_runner.slots import Slots
from fastflow_runner.vault import Vault

_KILLED = 137


class Deps(Struct, frozen=True, kw_only=True):
    """Made once by `app`, handed to every phase."""

    settings: RunnerSettings
    holder: Holder
    """This process, as facts name it."""
    log: EventLog
    executor: Executor
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

    def passed(self, phase: str) -> None:
        """Mark the end of a phase; where the settings say so, die here as under `kill -9`."""
        if self.settings.crash_at == phase:
            os._exit(_KILLED)


def protected_env(*, run_id: str, attempt: int, pipeline: str, trigger: str) -> Mapping[str, str]:
    """Variables that no run can override; the executor adds those that are paths."""
    return {
        "FASTFLOW_RUN_ID": run_id,
        "FASTFLOW_PIPELINE": pipeline,
        "FASTFLOW_ATTEMPT": str(attempt),
        "FASTFLOW_TRIGGER": trigger,
    }
