"""Secrets: the run's sealed values, opened for its environment and again to keep them out of its output."""

from fastflow_runner.attempt import AttemptContext, Signals
from fastflow_runner.core.masking import Mask, Masker, Withheld
from fastflow_runner.core.notices import withheld
from fastflow_runner.core.unsealing import Opened
from fastflow_runner.ports import Started
from fastflow_runner.retrying import retry
from fastflow_runner.vault import Vault

WHAT = "opening sealed values"


async def opened(vault: Vault, context: AttemptContext, signals: Signals) -> Opened:
    """What the run gets, and what it does not.

    Raises:
        CancelledRunError: somebody asked for the run's end.
        FencedError: the attempt belongs to somebody else.
    """
    if not _sealed(context):
        return Opened()
    return await signals.unless_stopped(retry(lambda: vault.open(context.specification), what=WHAT))


async def mask_of(vault: Vault, context: AttemptContext, started: Started) -> Mask | None:
    """What the run's output passes through; None where nothing is secret.

    Who took the attempt over must open the values again. What it cannot open it cannot recognise either, so it lets
    nothing out.
    """
    given = _sealed(context) - started.manifest.left_out.keys()
    if not given:
        return None
    opened = await retry(lambda: vault.open(context.specification), what=WHAT)
    if unknown := given & opened.left_out.keys():
        return Withheld(withheld(unknown, started.at))
    return Masker(opened.values[name] for name in sorted(given))


def _sealed(context: AttemptContext) -> set[str]:
    return {*context.specification.sealed_env, *context.specification.secrets}
