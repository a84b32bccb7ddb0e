"""The run's output: what cells write, as it comes, and lines of the driver's own between them."""

import fcntl
import os
import time
from struct import Struct
from termios import FIONREAD
from typing import Any

from fastflow_runner.entry.notebook import words

STDOUT, STDERR = 1, 2
_COUNT = Struct("i")
_POLL_S = 0.001
_WAIT_S = 0.25


class Log:
    """Both streams of this process, which the entry program carries on."""

    def __init__(self) -> None:
        self._last = STDOUT
        self._open = {STDOUT: False, STDERR: False}

    def say(self, text: str, *, stream: int = STDOUT) -> None:
        """A line of the driver's own."""
        if self._open[stream]:
            self._write(stream, "\n")
        self._write(stream, f"{words.SIGN}{text}\n")

    def quote(self, text: str) -> None:
        """Words of somebody else, on standard error."""
        self._write(STDERR, text, own_line=True)

    def hear(self, message: dict[str, Any]) -> None:
        """What the kernel says of a cell that is being executed."""
        content = message["content"]
        match message["msg_type"]:
            case "stream":
                self._write(STDERR if content["name"] == "stderr" else STDOUT, content["text"])
            case "execute_result" | "display_data" | "update_display_data":
                self._write(STDOUT, words.shown(content["data"]), own_line=True)
            case "error" if content.get("ename") != "SystemExit":
                self._write(STDERR, words.traceback(content), own_line=True)

    def _write(self, stream: int, text: str, *, own_line: bool = False) -> None:
        if not text:
            return
        if stream != self._last:
            self._let_read()
            self._last = stream
        if own_line and self._open[stream]:
            text = f"\n{text}"
        self._open[stream] = not text.endswith("\n")
        view = memoryview(text.encode("utf-8", "backslashreplace"))
        while view:
            view = view[os.write(stream, view) :]

    def _let_read(self) -> None:
        """Wait until the other stream's pipe is empty: two pipes have no order of their own."""
        give_up = time.monotonic() + _WAIT_S
        try:
            while _COUNT.unpack(fcntl.ioctl(self._last, FIONREAD, bytes(_COUNT.size)))[0]:
                if time.monotonic() > give_up:
                    return
                time.sleep(_POLL_S)
        except OSError:
            return  # no pipe
