"""How a pipeline looks to people."""

import msgspec
from fastflow_events.message import Message, Statement
from msgspec import Struct

from fastflow_gateway.core.responses.hidden import without_keys
from fastflow_gateway.core.responses.pipeline_figures import LastRun, NextOfPipeline, PipelineFigures
from fastflow_gateway.core.responses.schedules import Pause, pipeline_pause
from fastflow_gateway.core.typed import DefinitionJson
from fastflow_gateway.core.views.pipelines import PipelineRow, PipelineStatus


class PipelineResponse(Struct, frozen=True, kw_only=True):
    """One pipeline at the head of its repository."""

    name: str
    repository: str
    status: PipelineStatus
    paused: bool
    errors: list[str]
    """Why it is invalid, one sentence each."""
    errors_messages: list[Message]
    commit: str
    tree: str
    definition: DefinitionJson | None
    """What its pipeline.json says; null while it is invalid. Of `sealed_env` the names are shown."""
    untrusted: str
    """Which of its facts cannot be read, so that nothing is decided about it any more; empty when it can be trusted."""
    untrusted_message: Message | None
    web_url: str | None
    """Its folder at the Git host, where that is one whose pages are known."""
    seq: int
    pause: Pause | None = None
    """Who paused it, why, and since when."""
    stats: PipelineFigures | None = None
    """Null unless `include` names it; the same for what follows."""
    last: list[LastRun] | None = None
    """The newest ten runs, newest first."""
    running: int | None = None
    """How many of its runs are open; with `last`."""
    next: NextOfPipeline | None = None


def show_pipeline(
    row: PipelineRow, *, untrusted: Statement | None = None, web_url: str | None = None
) -> PipelineResponse:
    """The row without its SQL, and without what only helps to guess webhook keys, and without ciphertext."""
    return PipelineResponse(
        name=row.name,
        repository=row.repository,
        status=row.status,
        paused=bool(row.paused),
        errors=msgspec.json.decode(row.errors),
        errors_messages=msgspec.json.decode(row.errors_messages, type=list[Message]),
        commit=row.commit_sha,
        tree=row.tree,
        definition=without_keys(msgspec.json.decode(row.definition)),
        untrusted=str(untrusted or ""),
        untrusted_message=untrusted.message if untrusted is not None else None,
        web_url=web_url,
        seq=row.seq,
        pause=pipeline_pause(row),
    )
