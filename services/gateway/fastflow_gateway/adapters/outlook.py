"""What a gauge has seen of the log, as an outlook."""

from fastflow_events.nats.usage import Gauge
from fastflow_rules.outlook import Outlook, outlook


async def outlook_of(gauge: Gauge) -> Outlook | None:
    """How large the log is and when it is full; None while nothing is known."""
    fill = await gauge.fill()
    return outlook(gauge.observed, fill.room_bytes)
