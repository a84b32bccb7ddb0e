"""Code: the bundle of the run's tree is on the engine."""

from fastflow_runner.attempt import AttemptContext, Signals
from fastflow_runner.deps import Deps
from fastflow_runner.retrying import retry_unless_stopped


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
    executor, retry_for_s = deps.executor, deps.settings.retry_for_s
    if await retry_unless_stopped(
        signals, lambda: executor.has_code(tree), what="looking for the code", retry_for_s=retry_for_s
    ):
        return
    bundle = await retry_unless_stopped(signals, lambda: deps.code.bundle(tree), what="fetching the code")
    await retry_unless_stopped(
        signals, lambda: executor.stage_code(tree, bundle), what="staging the code", retry_for_s=retry_for_s
    )
