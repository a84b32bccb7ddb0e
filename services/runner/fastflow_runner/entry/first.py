"""What the first process of a container owes the others in it: signals go to it, and orphans are left to it.

The kernel keeps it from being killed or stopped from inside, and ignores for it every signal that it does not handle.
"""

import os
import signal
from collections.abc import Callable

_FIRST = 1
_TERMINATED = 128 + signal.SIGTERM


def lead(work: Callable[[], int], *, forks: bool) -> int:
    """Exit code of `work`; elsewhere than at the head of a container there is nothing else to do.

    With `forks`, work is done by a child, for it waits for processes of its own, and would leave orphans unreaped.
    """
    if os.getpid() != _FIRST:
        return work()
    child = 0

    def pass_on(number: int, _: object) -> None:
        if not child:
            os._exit(_TERMINATED)
        os.kill(child, number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not forks:
        return work()
    # Not part of a run's start, which takes no detours.
    from fastflow_runner.entry.bounding import fork, measured  # noqa: PLC0415

    child = fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        return work()
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else measured(code)
