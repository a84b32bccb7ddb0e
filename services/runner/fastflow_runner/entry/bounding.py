"""How much of a disk a tool may take, and what ends it: the first process of its container, which nobody in it can end.

Whoever does the work says how much, once and before anything of a package is executed; the first process measures.
"""

import _thread
import json
import os
from contextlib import suppress
from typing import Any

from fastflow_runner.entry.codes import TOO_LARGE
from fastflow_runner.entry.disk import Holding, is_too_full, limit_of
from fastflow_runner.entry.uv import OutageError

_MOST_BYTES = 4096
_teller: int | None = None
_held: tuple[Holding, int] | None = None


def bound(order: dict[str, Any], folder: str, *, stays: bool = False) -> None:
    """Let this tool hold no more than its order says, below the folder; where that `stays`, only what is added counts.

    Raises:
        OutageError: the disk is too full to begin.
    """
    global _teller  # noqa: PLW0603 - it is said once
    disk = order.get("disk")
    if disk is None:
        return
    if full := is_too_full(order["root"]):
        raise OutageError(full)
    if _teller is not None:
        places = {"folder": folder, "cache": folder if stays else ""}
        os.write(_teller, json.dumps({**places, **disk, "worker": os.getpid()}).encode())
        os.close(_teller)
        _teller = None


def fork() -> int:
    """A child that does the work, as `os.fork` has it; this process measures it."""
    global _teller  # noqa: PLW0603
    heard, teller = os.pipe()
    child = os.fork()
    if child:
        os.close(teller)
        _thread.start_new_thread(_hold, (heard,))
    else:
        os.close(heard)
        _teller = teller
    return child


def measured(code: int) -> int:
    """Exit code of the tool whose work ended with this one: who was fast has not taken more than it may either."""
    if code or _held is None:
        return code
    holding, limit = _held
    return _too_large(limit) if holding.measure() > limit else code


def _hold(heard: int) -> None:
    global _held  # noqa: PLW0603 - as above
    limits = os.read(heard, _MOST_BYTES)
    os.close(heard)
    if not limits:
        return
    order = json.loads(limits)
    if limit := limit_of(order["folder"], order["most_bytes"], order["share"]):
        holding = Holding(order["folder"], order["cache"], contained=True, ours={order["worker"]})
        holding.measure()  # what was there before
        _held = holding, limit
        # With the first process goes everybody.
        holding.watch(limit, lambda _: os._exit(_too_large(limit)))


def _too_large(limit: int) -> int:
    with suppress(OSError):
        os.write(2, b"%d\n" % limit)
    return TOO_LARGE
