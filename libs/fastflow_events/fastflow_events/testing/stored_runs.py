"""A run that is over, as readers find it: its facts in the log, and its output."""

from nats.aio.client import Client

from fastflow_events import subjects
from fastflow_events.log import EventLog
from fastflow_events.output import Chunk, OutFrame, encode_chunk
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
)


async def store_run(log: EventLog, nc: Client, run_id: str, *, output: bytes, pipeline: str = "hello") -> None:
    """Append the story of one attempt that succeeded, with this output in one chunk."""
    story = (run_requested(pipeline=pipeline), run_dispatched(), run_claimed(), run_started())
    await log.append(Position(aggregate="run", id=run_id), story, cause=CAUSE)
    chunk = Chunk(first=0, frames=(OutFrame("stdout", NOON, output),), last=True)
    await nc.jetstream().publish(subjects.output(run_id, 1, "runner-1"), encode_chunk(chunk))
    position = (await log.load("run", run_id)).position
    await log.append(position, (attempt_finished(), run_finished()), cause=CAUSE)
