"""Summaries of outputs that were asked for a moment ago, so that reading them goes on where it ended."""

import asyncio
from collections import OrderedDict

from fastflow_gateway.core.log_blocks import BlockFold
from fastflow_gateway.core.log_marks import MarksFold

MOST = 64
"""Runs; each holds at most some hundred marks per attempt."""


class Begun:
    """How far the output of one run has been read."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.lines = BlockFold()
        self.marks = MarksFold()
        self.seq = 0
        """Stream position of the last chunk that was read."""
        self.is_over = False
        """Whether the run was over, and all is read."""


class LogSummaries:
    """Those of the runs that were looked at last."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._begun: OrderedDict[str, Begun] = OrderedDict()

    def of(self, run_id: str) -> Begun:
        """The run's, a new one for a run that was not looked at lately."""
        begun = self._begun.setdefault(run_id, Begun())
        self._begun.move_to_end(run_id)
        while len(self._begun) > self._most:
            self._begun.popitem(last=False)
        return begun
