"""The facts of a chain; its id names upstream, downstream and run configuration, so that the same is set once."""

from fastflow_events.fact import Fact, wire
from fastflow_events.types import Env, PipelineName


@wire("chain.set.v1")
class ChainSet(Fact, frozen=True, kw_only=True):
    """The downstream pipeline runs after the upstream one; with a route only that route counts."""

    upstream: PipelineName
    downstream: PipelineName
    on_success: bool = True
    on_failure: bool = False
    on_route: str | None = None
    run_config_id: str | None = None
    params: Env = {}
    """Param of the next run to text, `$params.NAME` or `$result.MEMBER` of the upstream run."""
    who: str = ""


@wire("chain.removed.v1")
class ChainRemoved(Fact, frozen=True, kw_only=True):
    """Nobody wants it any more."""

    who: str
