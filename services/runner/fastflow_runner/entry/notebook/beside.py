"""Code that the kernel executes beside the cells, in a namespace of its own, without a trace in theirs; pure."""

_PREPARE = """
import faulthandler, sys
faulthandler.enable(file=sys.stderr, all_threads=False)
"""
_FLUSH = """
import fcntl, struct, sys, termios, time
give_up = time.monotonic() + 0.5
for stream in (sys.stdout, sys.stderr):
    pipe = getattr(stream, "_fid", None)
    while pipe is not None and time.monotonic() < give_up:
        if not struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]:
            break
        time.sleep(0.001)
    stream.flush()
"""


def _apart(source: str) -> str:
    return f"__import__('builtins').exec({source!r}, {{}})"


PREPARE = _apart(_PREPARE)
"""Have a crash of the interpreter told where no captured stream can lose it."""
FLUSH = _apart(_FLUSH)
"""Have everything sent that programs wrote past Python: a thread of the kernel reads it from a pipe."""
