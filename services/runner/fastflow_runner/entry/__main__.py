"""Dispatch of the entry program's modes."""

import sys
from importlib import import_module
from pathlib import Path

_MODES = {
    "run": "running",
    "stage": "staging",
    "verify": "verifying",
    "prepare": "preparing",
    "fetch": "fetching",
    "build": "building",
    "notebook": "notebook.driving",
}
_USAGE = 2


def _bind() -> None:
    """Give this folder its package name, so that modules import each other by one name wherever it lies."""
    # The folder itself must not be on the path: its modules could shadow those of the standard library.
    folder = sys.path.pop(0)
    module = type(sys)
    for name in ("fastflow_runner", "fastflow_runner.entry"):
        package = module(name)
        package.__path__ = [folder] if name.endswith(".entry") else []
        sys.modules[name] = package


def main() -> int:
    """Exit code of the mode named by the first argument."""
    mode, *order = sys.argv[1:] or [""]
    name = _MODES.get(mode) if len(order) == (mode == "notebook") else None
    if name is None:
        sys.stderr.write(f"usage: {Path(sys.argv[0]).name} {'|'.join(_MODES)}\n")
        return _USAGE
    _bind()
    if mode == "notebook":
        return int(import_module(f"fastflow_runner.entry.{name}").main())
    # Before anything else, and while nobody waits: what is started later cannot look into it, or speak for it.
    import_module("fastflow_runner.entry.linux").harden()
    work = import_module(f"fastflow_runner.entry.{name}").main
    return int(import_module("fastflow_runner.entry.first").lead(work, forks=mode != "run"))


if __name__ == "__main__":
    sys.exit(main())
