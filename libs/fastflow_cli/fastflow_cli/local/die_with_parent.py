"""Runs a program that cannot outlive its parent, not even when the parent is killed with SIGKILL.

`python die_with_parent.py [--watch] PARENT_PID PROGRAM [ARGUMENT...]`. On Linux the kernel sees to it and this process
becomes the program. Elsewhere, or with `--watch`, it stays, starts the program and ends it when its own parent is
gone. Only the standard library, so that the file can be run by its path.
"""

import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOOK_EVERY_S = 0.25
PARENT_GONE = 125


def hold_by_kernel() -> bool:
    """Ask the kernel to kill this process with its parent; False where it cannot."""
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415  # missing in some builds of Python, and needed nowhere else

    answer: int = ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return answer == 0


def watch(parent: int, argv: list[str]) -> int:
    """Run the program, pass signals on, kill it when the parent is gone; returns its exit code."""
    program = subprocess.Popen(argv)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: program.send_signal(received))
    while (code := program.poll()) is None:
        if os.getppid() != parent:
            program.kill()
        time.sleep(LOOK_EVERY_S)
    return code if code >= 0 else 128 - code


def main(arguments: list[str]) -> int:
    """Become the program, or run it and return its exit code."""
    watching = arguments[0] == "--watch"
    parent, argv = int(arguments[watching]), arguments[watching + 1 :]
    if watching or not hold_by_kernel():
        return watch(parent, argv)
    if os.getppid() == parent:
        os.execvp(argv[0], argv)
    return PARENT_GONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
