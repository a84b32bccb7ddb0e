"""Code: the bundle of the run's tree is on the engine."""

from fastflow_runner.attempt import AttemptContext, Signals
from fastflow_runner.deps import Deps
from fastflow_runner.retrying import retry


async def stage(deps: Deps, context: AttemptContext, signals: Signals) -> None:
    """Stage the run's code unless it is there.

    Raises:
        NotFoundError: the code is not stored.
        ContractError: the code must not be unpacked.
        InfrastructureError: the engine does not answer.
        CancelledRunError: somebody asked for the run's end.
        FencedError: the attempt belongs to somebody else.
    """
    await stage_tree(deps, context.specification.tree, signals)


async def stage_tree(deps: Deps, tree: str, signals: Signals) -> None:
    """The same for a tree that nobody runs yet."""
    if await signals.unless_stopped(deps.executor.has_code(tree)):
        return
    bundle = await signals.unless_stopped(retry(lambda: deps.code.bundle(tree), what="fetching the code"))
    await signals.unless_stopped(deps.executor.stage_code(tree, bundle))
