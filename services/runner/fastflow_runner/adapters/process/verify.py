"""Every byte of what was made on this machine, looked at by the same entry program that does so in a container."""

import math
from pathlib import Path

from fastflow_events.errors import InfrastructureError

from fastflow_runner.adapters.process.tools import ProcessTools
from fastflow_runner.adapters.spoiled import tell_changed
from fastflow_runner.core import marks
from fastflow_runner.core.adoption import Verified
from fastflow_runner.core.tree_orders import set_aside_order, verify_order
from fastflow_runner.entry.manifest import ChangedError


def verify(tools: ProcessTools, root: Path, key: str, only: str) -> Verified:
    """What was looked through; what is not as it was made is set aside."""
    uv = str(root / "uv")
    order = verify_order(uv=uv, code=str(root / "code"), key=key, only=only)
    status, line, words = tools.call("verify", order, math.inf)
    verified = marks.verified(line) if status == 0 else None
    if verified is None:
        raise InfrastructureError(f"what is there was not looked through: {words}", code=status)
    if verified.changed:
        for path, differing in verified.changed.items():
            tell_changed(f"{path}: {ChangedError(*differing)}")
        status, _, words = tools.call("prepare", set_aside_order(tuple(verified.changed), root=uv), tools.soon())
        if status != 0:
            raise InfrastructureError(f"what has changed was not set aside: {words}", code=status)
    return verified
