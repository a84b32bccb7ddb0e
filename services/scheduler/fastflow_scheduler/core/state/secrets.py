"""Which secrets there are, and their newest versions; their values are not ours to know."""

from collections.abc import Mapping

from fastflow_events.aggregates.secret.events import SecretRemoved, SecretSet
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_scheduler.core.state.dirty_table import DirtyTable


class KnownSecret(Struct, frozen=True, kw_only=True):
    """A secret that is there."""

    version: int


class Secrets:
    """Every secret that may be granted to a run; `freeze` puts those a pipeline names into its specification."""

    def __init__(self) -> None:
        self.table = DirtyTable("secrets", KnownSecret)

    def fold(self, recorded: Recorded) -> None:
        """Fold one fact about a secret."""
        match recorded.fact:
            case SecretSet(version=version):
                self.table.put(recorded.id, KnownSecret(version=version))
            case SecretRemoved():
                self.table.drop(recorded.id)
            case _:
                pass

    def versions(self) -> Mapping[str, int]:
        """Name to newest version, as `freeze` wants it."""
        return {name: known.version for name, known in self.table.items()}
