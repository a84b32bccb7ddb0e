"""Mode `run`: one script, once.

```text
sealed specification -> not too late? -> code copied -> marker `started` -> child -> its output -> marker `exit.json`
     |                        |               |
     +------------------------+---------------+--> marker `refused`, exit 125: user code was never started
```
"""

import _thread
import json
import os
import resource
import signal
import time
from contextlib import suppress
from typing import Any

from fastflow_runner.entry import disk, linux, markers
from fastflow_runner.entry.child import Child
from fastflow_runner.entry.leaving import Kept, read_progress, read_result, read_route
from fastflow_runner.entry.looking import RefusedError, look
from fastflow_runner.entry.output import LineSink, Output, SpoolSink
from fastflow_runner.entry.records import LINE_BYTES, control
from fastflow_runner.entry.sealed import UnsealedError, read_sealed
from fastflow_runner.entry.tree import copy_whole
from fastflow_runner.entry.turns import Reader
from fastflow_runner.entry.using import InUseError, use

_SILENCE_S = 2.0
"""How long a pipe may stay open and silent after everything that could write to it was killed."""
_CANNOT_EXECUTE = 127
_SPECIFICATION_BYTES = 16 << 20


class Run:
    """The one attempt this process exists for."""

    def __init__(self, specification: dict[str, Any]) -> None:
        self._spec = specification
        self._state: str = specification["state"]
        self._sink = SpoolSink(specification["spool"]) if specification["spool"] else LineSink()
        self._output = Output(self._sink, specification["output_bytes"])
        self._child: Child | None = None
        self._terminated = False
        self._told_to_end = False
        self._ended_itself = False
        self._due = float("inf")
        self._asked = False
        self._timed_out = False
        self._told: int | None = None
        self._disk_bytes = 0
        self._held_bytes = 0

    def prepare(self) -> None:
        """Make everything ready, and take the right to start.

        Raises:
            RefusedError: user code must not, or cannot, be started.
        """
        spec = self._spec
        self._wakeup, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGALRM, self._on_alarm)
        # It would end this process, and anybody inside may send it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._check_time()
        if spec["contained"] and not linux.harden():
            raise RefusedError(
                "guard", "the entry program cannot be closed to the script; the worker image needs ctypes"
            )
        if full := disk.is_too_full(spec["disk"]["folder"]):
            raise RefusedError("disk", full)
        self._disk_bytes = disk.limit_of(**spec["disk"])
        spec["manifest"]["disk_bytes"] = self._disk_bytes or None
        os.makedirs(self._state, exist_ok=True)  # noqa: PTH103 - pathlib costs start-up time
        if os.path.exists(f"{self._state}/started"):  # noqa: PTH110
            raise RefusedError("started", "user code was started before")
        look(spec["sealed"], spec["code"], "code", whole=True)
        try:
            copy_whole(spec["code"], spec["app"], leave_out=spec["leave_out"])
            os.makedirs(spec["artifacts"], exist_ok=True)  # noqa: PTH103
            os.chdir(spec["app"])
        except FileNotFoundError as error:
            raise RefusedError("code", f"the code is not staged: {error}") from error
        except OSError as error:
            raise RefusedError("copy", f"the code cannot be copied: {error}") from error
        # Held until this process ends: what the script imports later is there then, too.
        try:
            self._environment = use(spec["argv"][0].rpartition("/bin/")[0])
        except InUseError as error:
            raise RefusedError("interpreter", str(error)) from error
        for tree in spec["sealed"]:
            if tree != spec["code"]:
                look(spec["sealed"], tree, "interpreter")
        if not os.access(spec["argv"][0], os.X_OK):
            raise RefusedError("interpreter", f"{spec['argv'][0]} cannot be executed")
        self._check_time()
        if self._terminated:
            raise RefusedError("terminated", "the attempt was stopped before user code was started")
        # The namespace may have served others before.
        self._network = linux.network_bytes() if spec["contained"] else None
        marker = {"at": time.time(), "pid": os.getpid(), "network": self._network, "manifest": spec["manifest"]}
        if not markers.claim_start(self._state, marker):
            raise RefusedError("started", "user code was started before")
        self._sink.started(json.dumps(marker).encode())
        markers.reserve(self._state)

    def execute(self) -> int:
        """Start the script, see it through, write the marker; its exit code, or 128 + signal."""
        started = time.monotonic()
        # Read and not handled: only so it says who sent it.
        self._told = linux.open_signal(signal.SIGTERM)
        child = Child()
        # A pipe that was written to before anybody looked at it does not tell whether the other one was first.
        reader = Reader(child.streams, self._wakeup, self._told)
        try:
            # The image's own variables, such as where its certificates are, are the script's too; a host's are not.
            inherited = os.environ if self._spec["contained"] else {}
            child.start(self._spec["argv"], {**inherited, **self._spec["env"]})
        except OSError as error:
            self._output.feed(2, f"{self._spec['argv'][0]}: {error.strerror}\n".encode())
            self._output.finish()
            self._write_exit(_CANNOT_EXECUTE, None)
            return _CANNOT_EXECUTE
        self._child = child
        if limit := self._spec.get("data_bytes"):
            linux.limit_data(child.pid, limit)
        self._watch_disk(child)
        if self._terminated:
            self._on_term()
        if self._spec["timeout_s"]:
            self._ring(self._spec["timeout_s"] - (time.monotonic() - started))
        self._carry(child, reader)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._output.finish()
        code = os.waitstatus_to_exitcode(child.status or 0)
        self._write_exit(128 - code if code < 0 else code, -code if code < 0 else None)
        return 128 - code if code < 0 else code

    def _watch_disk(self, child: Child) -> None:
        """End the script once it holds more than it may: at once, because what it holds is everybody's."""

        def exceeded(held_bytes: int) -> None:
            if child.status is None:
                self._held_bytes = held_bytes
                child.signal(signal.SIGKILL)

        if self._disk_bytes:
            folder, cache = self._spec["disk"]["folder"], self._spec["cache"]
            with suppress(OSError, RuntimeError):
                holding = disk.Holding(folder, cache, contained=self._spec["contained"])
                _thread.start_new_thread(holding.watch, (self._disk_bytes, exceeded))

    def _carry(self, child: Child, reader: Reader) -> None:
        while child.status is None or child.streams:
            read = reader.look(None if child.status is None else _SILENCE_S)
            for stream, data in read.pieces:
                self._output.feed(stream, data)
            if self._told is not None and read.told:
                self._on_told(self._told)
            if read.woken:
                self._reap(child)
            elif read.silent and child.status is not None:
                break
        reader.close()

    def _reap(self, child: Child) -> None:
        running = child.status is None
        child.reap()
        if running and child.status is not None:
            child.kill_rest()

    def _write_exit(self, code: int, number: int | None) -> None:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        spec = self._spec
        kept = Kept(f"{self._state}/kept", **spec["keep"])
        disk_full = linux.is_full(spec["app"])
        received, transmitted = self._moved()
        kept.take(spec["artifacts"], spec["patterns"], below=spec["app"], leave_out=spec["leave_out"])
        route, route_error = read_route(spec["route_file"])
        result, result_error = read_result(spec["result_file"])
        marker = {
            "nonce": self._spec["nonce"],
            "code": code,
            "signal": number,
            "timed_out": self._timed_out,
            "received_bytes": received,
            "transmitted_bytes": transmitted,
            "told_to_end": self._told_to_end,
            "ended_itself": self._ended_itself,
            "disk_full": disk_full,
            "held_bytes": self._held_bytes,
            "peak_memory_bytes": used.ru_maxrss * 1024,
            "cpu_s": round(used.ru_utime + used.ru_stime, 6),
            "oom_kills": linux.oom_kills() if self._spec["contained"] else 0,
            "reached_memory_limit": linux.reached_memory_limit() if self._spec["contained"] else False,
            "refused_processes": linux.refused_processes() if self._spec["contained"] else 0,
            "dropped_bytes": self._output.dropped,
            "sent_bytes": self._output.sent,
            "route": route,
            "result": result,
            "result_error": result_error,
            "progress": read_progress(spec["progress"]),
            "kept": kept.files,
            "left": [*kept.left, *([("the route", route_error)] if route_error else [])],
            "at": time.time(),
        }
        # Either place will do: for whoever reads along the last line, where it fits into one, and the file, which takes
        # longer to be on the disk.
        words = json.dumps(marker).encode()
        if len(words) < LINE_BYTES:
            with suppress(OSError):
                self._sink.ended(words)
        with suppress(OSError):
            markers.write_exit(self._state, marker)

    def _moved(self) -> tuple[int | None, int | None]:
        """Bytes received and sent over the network."""
        before, now = self._network, linux.network_bytes()
        if before is None or now is None:
            return None, None
        return now[0] - before[0], now[1] - before[1]

    def _check_time(self) -> None:
        if time.time() > self._spec["not_after"]:
            raise RefusedError("not_after", "the lease ran out before user code was started")

    def _on_term(self, *_: object) -> None:
        self._terminated = True
        if self._child is not None and self._child.status is None:
            self._told_to_end = True
            self._ask(self._child)

    def _on_told(self, fd: int) -> None:
        """Somebody sent SIGTERM; what the script sends to the one who runs it is no word from outside."""
        while (sender := linux.read_sender(fd)) is not None:
            if self._child is None or self._child.status is not None:
                continue
            # Who is outside of a container has no number in it.
            inside = sender != 0
            if not self._spec["contained"] and sender != linux.NOBODY:
                inside = linux.is_below(sender, self._child.pid)
            self._ended_itself = self._ended_itself or inside
            self._told_to_end = self._told_to_end or not inside
            self._ask(self._child)

    def _ring(self, after_s: float) -> None:
        after_s = max(after_s, 0.001)
        self._due = time.monotonic() + after_s
        signal.setitimer(signal.ITIMER_REAL, after_s)

    def _ask(self, child: Child) -> None:
        """Tell the script to end, once: whoever asks again must not disturb it while it cleans up."""
        if not self._asked:
            self._asked = True
            child.signal(signal.SIGTERM)

    def _on_alarm(self, *_: object) -> None:
        # A script may send this signal, too.
        if self._child is None or self._child.status is not None or time.monotonic() < self._due:
            return
        if self._timed_out:
            self._child.signal(signal.SIGKILL)
        else:
            self._timed_out = True
            self._ring(self._spec["grace_s"])
            self._ask(self._child)


def main() -> int:
    """Exit code of the script; 125 when it was never started."""
    try:
        spec = json.loads(read_sealed(0, _SPECIFICATION_BYTES))
    except UnsealedError as error:
        return _refuse("stdin", str(error))
    # Whoever sent the specification may go away now; nothing waits for more.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    run = Run(spec)
    try:
        run.prepare()
    except RefusedError as error:
        reason, detail = error.args
        markers.write_refused(spec["state"], reason, detail)
        return _refuse(reason, detail)
    return run.execute()


def _refuse(reason: str, detail: str) -> int:
    os.write(2, control(b"r", json.dumps({"reason": reason, "detail": detail}).encode()))
    return markers.NEVER_STARTED
