"""Outputs of a run's notebook, out of the file that it left behind."""

import asyncio
from collections.abc import Sequence

from fastflow_events.errors import NotFoundError
from fastflow_events.log import EventLog
from fastflow_events.message import Statement

from fastflow_gateway.core.notebook_outputs import NotebookOutput, outputs_of
from fastflow_gateway.handlers.artifacts import find_left, open_left
from fastflow_gateway.ports import Artifacts

EXECUTED = "main.executed.ipynb"
MOST_BYTES = 128_000_000


class NoSuchOutput(Statement, frozen=True, tag="refused.no_such_output"):
    """Of a notebook."""

    english = "the executed notebook has no such output"


class NotebookTooLarge(Statement, frozen=True, tag="refused.notebook_too_large"):
    """It can be had as a file."""

    english = "the executed notebook has {size} bytes, and at most {most} are looked into: it is the artifact {path}"
    size: int
    most: int
    path: str


async def outputs_of_cell(
    log: EventLog, artifacts: Artifacts, run_id: str, cell: int, attempt: int | None
) -> list[NotebookOutput]:
    """What a code cell gave, in the newest attempt that left a notebook unless another is named.

    Raises:
        NotFoundError: there is no such run, notebook or cell.
        NotebookUnreadableError: what is stored is no notebook.
    """
    left = await find_left(log, run_id, EXECUTED, attempt)
    if left.size_bytes > MOST_BYTES:
        raise NotFoundError(NotebookTooLarge(left.size_bytes, MOST_BYTES, EXECUTED))
    pieces = [piece async for piece in await open_left(artifacts, run_id, left)]
    outputs = await asyncio.to_thread(outputs_of, b"".join(pieces), cell)
    if outputs is None:
        raise NotFoundError(NoSuchOutput())
    return outputs


def output_at(outputs: Sequence[NotebookOutput], k: int) -> NotebookOutput:
    """One of them, counting from 1.

    Raises:
        NotFoundError: they are fewer.
    """
    if not 1 <= k <= len(outputs):
        raise NotFoundError(NoSuchOutput())
    return outputs[k - 1]
