"""Trees that are not what was made there: a sentence in the log, and a metric."""

import logging

from fastflow_events.service import telemetry

logger = logging.getLogger(__name__)


def tell_changed(*sentences: str) -> None:
    """Say of each that it was changed after it was made; it is used by nobody, and made again."""
    for sentence in sentences:
        telemetry.CHANGED.inc()
        context = {"action": "tree_changed"}
        logger.error("changed after it was made, set aside and made again: %s", sentence, extra=context)
