"""The read model, read: as it is now, and as it was after the fact at a position."""

from fastflow_events.log import EventLog

from fastflow_gateway.adapters.rows.past import PastReadModel
from fastflow_gateway.adapters.rows.present import PresentRows
from fastflow_gateway.ports import ReadModel


class SqliteReadModel(PresentRows):
    """`ReadModel` over reading connections of its own."""

    def at(self, seq: int, log: EventLog) -> ReadModel:
        """The read model as it was."""
        return PastReadModel(self, log, seq)
