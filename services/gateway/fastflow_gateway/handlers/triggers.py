"""Requests of other systems that came over NATS."""

from datetime import datetime

from fastflow_events import subjects
from fastflow_events.aggregates.run.events import Trigger
from fastflow_events.errors import ContractError, DomainError
from fastflow_events.ids import run_id_of_trigger
from fastflow_events.nats import topology
from fastflow_events.recorded import Cause

from fastflow_gateway.core.run_request import read_run_options
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.runs import Accepted, fresh_run_id, request_run

NATS = Trigger(kind="nats", who="nats")


async def run_of_trigger(
    deps: Deps, subject: str, seq: int, data: bytes, *, cause: Cause, kept_at: datetime | None = None
) -> Accepted:
    """Ask for the run of a stored message; however often it is delivered, it is one run.

    `kept_at` is when it became a dead letter. One that is older than the stream is of a stream before this one, whose
    instant nobody knows any more; its own takes that place, so that it is no other message's run.

    Raises:
        InfrastructureError: the server does not say when the stream was made.
        ContractError: the message cannot become a run, for whatever reason; nobody waits for the answer, so it must
            be kept where people look.
    """
    created = await deps.triggers_since()
    if kept_at is not None and kept_at < created:
        created = kept_at
    try:
        return await request_run(
            deps,
            subjects.pipeline_of(subject),
            read_run_options(data),
            run_id=run_id_of_trigger(topology.TRIGGERS, created, seq),
            trigger=NATS,
            cause=cause,
            repeated=True,
        )
    except DomainError as exc:
        raise ContractError(exc.statement, **exc.context) from exc


async def run_of_request(deps: Deps, subject: str, data: bytes, *, cause: Cause) -> Accepted:
    """Ask for a run for somebody who waits for the answer.

    Raises:
        FastflowError: what `request_run` and `read_run_options` refuse.
    """
    pipeline = subjects.pipeline_of(subject)
    return await request_run(
        deps, pipeline, read_run_options(data), run_id=fresh_run_id(deps), trigger=NATS, cause=cause
    )
