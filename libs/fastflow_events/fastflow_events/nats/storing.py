"""Storing a message of which its writer expects something; what the server or nats-py answers, in our errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors
from nats.js.errors import APIError, NoStreamResponseError

from fastflow_events.errors import ConcurrencyError, InfrastructureError

EXPECTED_SEQ = "Nats-Expected-Last-Subject-Sequence"
EXPECTED_SUBJECT = "Nats-Expected-Last-Subject-Sequence-Subject"
_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
"""nats-server errors.json: of a message alone, and of one inside a batch."""


def expecting(last_seq: int, subject: str | None = None) -> dict[str, str]:
    """Headers with which the server stores a message only behind the one at `last_seq` (0: there is none).

    It counts the messages on `subject`, which may hold wildcards; without one, those on the message's own.
    """
    expected = {EXPECTED_SEQ: str(last_seq)}
    return expected if subject is None else {**expected, EXPECTED_SUBJECT: subject}


def is_conflict(refusal: APIError) -> bool:
    """Whether something else was stored than the writer expected."""
    return refusal.err_code in _WRONG_LAST_SEQUENCE


@contextmanager
def translated(failed: str, **context: str | float | None) -> Iterator[None]:
    """The block's failures of NATS become ours; `failed` says what did not come about.

    Raises:
        ConcurrencyError: something else was stored than the writer expected.
        InfrastructureError: the server refused, or did not answer.
    """
    try:
        yield
    except APIError as exc:
        if is_conflict(exc):
            raise ConcurrencyError(f"{failed}: somebody else was first", **context) from exc
        raise InfrastructureError(f"{failed}: {exc.description}", **context) from exc
    except NoStreamResponseError as exc:
        raise InfrastructureError(f"{failed}: its stream is away or not ours", **context) from exc
    except (nats.errors.Error, TimeoutError) as exc:
        raise InfrastructureError(f"{failed}: {exc!r}", **context) from exc
