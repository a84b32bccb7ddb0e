"""How processes ended: by the code that their parent learns, and by their markers."""

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import structs

from fastflow_runner.adapters.process.folder import ProcessFolder
from fastflow_runner.adapters.process.table import ProcessId, reap
from fastflow_runner.core import marks
from fastflow_runner.entry.markers import NEVER_STARTED
from fastflow_runner.ports import Exit


class ProcessEnds:
    """Remembers the codes of those that were reaped."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._codes: dict[ProcessId, int] = {}

    def of(self, folder: ProcessFolder, process: ProcessId, nonce: str) -> Exit:
        """What was observed, with what the marker adds."""
        if (code := reap(process.pid)) is not None:
            self._codes[process] = 128 - code if code < 0 else code
        observed = Exit(exit_code=self._codes.get(process), finished_at=datetime.fromtimestamp(self._clock(), UTC))
        known = marks.completed(observed, folder.marker("exit.json"), nonce)
        if known.marker_code is not None:
            # Only its parent learns a process's code; the entry program ends with the one in its marker.
            return known if known.exit_code is not None else structs.replace(known, exit_code=known.marker_code)
        never = folder.started() is None and observed.exit_code in {None, NEVER_STARTED}
        return structs.replace(observed, never_started=never)
