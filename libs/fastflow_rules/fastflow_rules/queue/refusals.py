"""Why a run will never start, each reason a statement of its own."""

from fastflow_events.message import Statement


class ChainTooLong(Statement, frozen=True, tag="refusal.chain_too_long"):
    """Too many chains one after the other."""

    english = "it would be number {depth} in one chain; chains that run in circles end here"
    depth: int


class NoSuchPipeline(Statement, frozen=True, tag="refusal.no_such_pipeline"):
    """Nobody has seen a folder of that name."""

    english = "there is no pipeline named ''{pipeline}''"
    pipeline: str


class PipelineInvalid(Statement, frozen=True, tag="refusal.pipeline_invalid"):
    """Its files cannot be used."""

    english = "the pipeline is invalid: {problems}"
    problems: tuple[Statement, ...]


class PipelineDisabled(Statement, frozen=True, tag="refusal.pipeline_disabled"):
    """Its own file says so."""

    english = "the pipeline is disabled in its pipeline.json"


class RequestUnfit(Statement, frozen=True, tag="refusal.request_unfit"):
    """What it was asked for with does not fit the pipeline."""

    english = "{problems}"
    problems: tuple[Statement, ...]


class Unwritable(Statement, frozen=True, tag="refusal.unwritable"):
    """Its specification fits into no fact."""

    english = "what it would execute cannot be written down: {error}"
    error: Statement
