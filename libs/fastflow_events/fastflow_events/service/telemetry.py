"""JSON log lines with their correlation, and counters for Prometheus."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

import msgspec
from prometheus_client import Counter, Gauge, generate_latest

from fastflow_events.printable import tame_json

_CONTEXT: ContextVar[dict[str, str | int]] = ContextVar("fastflow_log_context")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_ENCODER = msgspec.json.Encoder(enc_hook=str)

APPENDED = Counter("fastflow_facts_appended", "Facts this process appended.", ["type"])
HANDLED = Counter("fastflow_facts_handled", "Facts a reaction settled, by result.", ["consumer", "result"])
UNREADABLE = Counter("fastflow_facts_unreadable", "Stored messages that follow no known contract.")
UNKNOWN = Counter("fastflow_facts_unknown", "Facts of a newer release that a projection stepped over.", ["type"])
SET_ASIDE = Counter("fastflow_facts_set_aside", "Facts that a fold could not take and set aside.", ["fold"])
FOREIGN = Counter("fastflow_facts_foreign", "Facts that count for nothing because of who said them.", ["fold"])
LAG = Gauge("fastflow_projection_lag_facts", "Facts stored but not yet projected.", ["projection"])
CHANGED = Counter("fastflow_trees_changed", "Code, environments and wheels that were not as they had been made.")
RUNNING = Gauge("fastflow_attempts_running", "Attempts this runner executes now.")
LOG_BYTES = Gauge("fastflow_log_bytes", "Bytes that the log holds.", ["stream"])
LOG_BOUND_BYTES = Gauge("fastflow_log_bound_bytes", "Bytes that the log may hold; 0 is no bound.", ["stream"])
LOG_FULL_IN_DAYS = Gauge(
    "fastflow_log_full_in_days", "Days until the log takes no new runs at its rate; absent while unknown.", ["stream"]
)

logger = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """One JSON object per record: time, level, service, logger, message, context, extras; nothing steers a terminal."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **_CONTEXT.get({}),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return tame_json(_ENCODER.encode(line)).decode()


def configure(service: str, level: str = "INFO") -> None:
    """Send every log record of this process to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


@contextmanager
def bind(**context: str | int) -> Iterator[None]:
    """Put `context` into every log line of this task until the block ends."""
    token = _CONTEXT.set({**_CONTEXT.get({}), **context})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def unreadable(subject: str, seq: int, error: Exception | str) -> None:
    """Count and report a stored message that no reader understands."""
    UNREADABLE.inc()
    logger.error(
        "unreadable message", extra={"action": "unreadable", "subject": subject, "seq": seq, "why": str(error)}
    )


def full_in_days(stream: str, days: float | None) -> None:
    """Say when a stream is full; None takes back what was said."""
    LOG_FULL_IN_DAYS.clear()
    if days is not None:
        LOG_FULL_IN_DAYS.labels(stream).set(days)


def metrics_text() -> bytes:
    """All counters of this process in Prometheus' text format."""
    return generate_latest()
