"""Asking git_sync, over request and reply."""

import nats.errors
from fastflow_events import subjects
from fastflow_events.errors import InfrastructureError
from nats.aio.client import Client

from fastflow_gateway.core.refusals import SyncSilent, SyncUnreachable


class NatsQuestions:
    """`Questions` over one NATS connection."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def ask(self, what: str, question: bytes, *, timeout_s: float = 30.0) -> bytes:
        """Ask and wait for the answer."""
        try:
            return (await self._nc.request(subjects.git_question(what), question, timeout=timeout_s)).data
        except (nats.errors.NoRespondersError, nats.errors.TimeoutError, TimeoutError) as exc:
            raise InfrastructureError(SyncSilent()) from exc
        except nats.errors.Error as exc:
            raise InfrastructureError(SyncUnreachable(repr(exc))) from exc
