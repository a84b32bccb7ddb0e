"""Whether a run is started from what was made for it, before it is; and why it is not started otherwise."""

import os
from collections.abc import Mapping
from importlib import import_module


class RefusedError(Exception):
    """User code is not started; `args` are the reason in one word, and a sentence."""


def look(sealed: Mapping[str, str], tree: str, gone: str, *, whole: bool = False) -> None:
    """Nothing, when the tree is what its maker left, or nobody wants to know; `gone` is the reason if it is not there.

    Raises:
        RefusedError: it is not.
    """
    if not (digest := sealed.get(tree)):
        return
    # Once in the life of a runner: nobody else pays for what that imports.
    manifest = import_module("fastflow_runner.entry.manifest")
    try:
        manifest.check(tree, digest, whole=whole)
    except manifest.ChangedError as error:
        reason = "changed" if os.path.isdir(tree) else gone  # noqa: PTH112 - pathlib costs start-up time
        raise RefusedError(reason, f"{tree} is not what was made there: {error}") from error
