"""The NATS door: requests of other systems, stored ones and ones whose sender waits for the answer."""

import msgspec
from fastflow_events import subjects
from fastflow_events.errors import FastflowError
from fastflow_events.nats import topology
from fastflow_events.nats.broker import Message, on_messages, on_requests
from fastflow_events.recorded import Cause
from faststream.nats import NatsBroker
from msgspec import Struct

from fastflow_gateway.core.problems import problem_of
from fastflow_gateway.core.trace_context import HEADER, read_traceparent
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.triggers import run_of_request, run_of_trigger

TRIGGERS_DURABLE = "gateway-triggers"
REQUESTS_QUEUE = "gateway"


class RunReply(Struct, frozen=True, kw_only=True):
    """The answer on `fastflow.request.<pipeline>`; a refusal is answered with a problem object."""

    run_id: str
    status: str
    seq: int


def subscribe(broker: NatsBroker, deps: Deps) -> None:
    """Declare both doors on a broker that is not started yet."""

    @on_messages(broker, TRIGGERS_DURABLE, subject=subjects.TRIGGERS, stream=topology.TRIGGERS)
    async def on_trigger(message: Message) -> None:
        """A stored request becomes one run, or a dead letter."""
        cause = Cause(
            correlation_id=f"{topology.TRIGGERS}/{message.seq}",
            traceparent=read_traceparent(message.headers.get(HEADER)),
        )
        await run_of_trigger(deps, message.subject, message.seq, message.data, cause=cause)

    @on_requests(broker, REQUESTS_QUEUE, subject=subjects.REQUESTS)
    async def on_request(message: Message) -> bytes:
        """A request is answered with its run, or with the reason why there is none."""
        try:
            cause = Cause(
                correlation_id=deps.random_bytes(16).hex(), traceparent=read_traceparent(message.headers.get(HEADER))
            )
            accepted = await run_of_request(deps, message.subject, message.data, cause=cause)
        except FastflowError as exc:
            return msgspec.json.encode(problem_of(exc))
        return msgspec.json.encode(RunReply(run_id=accepted.id, status=accepted.status, seq=accepted.seq))
