"""Start nats-server as a child process: for `fastflow up`, the demo, tests and benchmarks."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fastflow_events.errors import InfrastructureError
from fastflow_events.progress_timeout import STALLED_AFTER_S, ProgressTimeout
from fastflow_events.service.work_signs import signs_of

MINIMUM = (2, 12)
STORE_BYTES = 32 * 10**9
"""What a server may store unless something else is said."""
LOOK_EVERY_S = 0.005
SIGNS_EVERY_S = 0.25
TELL_AFTER_S, TELL_EVERY_S = 5.0, 10.0
"""When a person hears first, and how often then, what is waited for."""
STOP_WITHIN_S = 10.0


class RunningServer(NamedTuple):
    """A server that answers."""

    process: "subprocess.Popen[bytes]"
    url: str


class Starting:
    """A server that was started and may not answer yet: it first reads what it has stored, which takes its time."""

    def __init__(self, process: "subprocess.Popen[bytes]", store: Path, *, stalled_after_s: float) -> None:
        self.process = process
        self._ports, self._log, self._words = store / "ports", store / "nats.log", store / "nats.err"
        self._earlier_bytes = _size(self._log)
        self._began = time.monotonic()
        self._progress_timeout = ProgressTimeout(self._began, stalled_after_s=stalled_after_s)
        self._signs_at = self._began
        self._tell_at = self._began + TELL_AFTER_S

    def look(self, tell: Callable[[str], None]) -> RunningServer | None:
        """The server, once it answers; `tell` hears now and then what it does instead.

        Raises:
            InfrastructureError: it ended, or it hangs; its last words are in the message.
        """
        for file in self._ports.glob("*.ports"):
            urls = json.loads(file.read_text() or "{}").get("nats")
            if urls:
                return RunningServer(self.process, urls[0])
        if self.process.poll() is not None:
            raise InfrastructureError(f"nats-server did not start: {self._last_words()}".strip())
        now = time.monotonic()
        if now >= self._signs_at:
            self._signs_at = now + SIGNS_EVERY_S
            self._progress_timeout.saw(signs_of(self.process.pid, self._log), now)
        if why := self._progress_timeout.over(now):
            raise InfrastructureError(f"nats-server did not start: {why}; its last words: {self._last_words()}".strip())
        if now >= self._tell_at:
            self._tell_at = now + TELL_EVERY_S
            tell(f"waiting for nats-server, which has worked for {now - self._began:.0f} s: {self._last_line()}")
        return None

    def end(self) -> None:
        """End it, in good order if it still can."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S if not self._progress_timeout.over(time.monotonic()) else 0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _last_words(self) -> str:
        return _tail(self._words) + _tail(self._log, after=self._earlier_bytes)

    def _last_line(self) -> str:
        """What it says to be doing, without process id and instant."""
        lines = _tail(self._log, after=self._earlier_bytes).splitlines()
        return re.sub(r"^\[\d+\] \S+ \S+ ", "", lines[-1]).strip() if lines else "it has said nothing yet"


def find_binary(env: Mapping[str, str]) -> Path:
    """Return the nats-server of `FASTFLOW_NATS_SERVER`, the tools folder of the checkout, or PATH.

    Raises:
        InfrastructureError: none is there, or it is older than 2.12.
    """
    checkout = Path(sys.prefix).parent / ".tools" / "bin" / "nats-server"
    named = env.get("FASTFLOW_NATS_SERVER")
    on_path = shutil.which("nats-server", path=env.get("PATH"))
    candidates = [Path(c) for c in (named, checkout, on_path) if c and Path(c).is_file()]
    if not candidates:
        raise InfrastructureError("there is no nats-server: run `scripts/bootstrap`, or set FASTFLOW_NATS_SERVER")
    printed = subprocess.run([candidates[0], "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"v(\d+)\.(\d+)", printed)
    if not version or (int(version[1]), int(version[2])) < MINIMUM:
        raise InfrastructureError(f"{candidates[0]} is {printed.strip() or 'no nats-server'}; 2.12 or newer is needed")
    return candidates[0]


def launch(
    binary: Path,
    store: Path,
    *,
    config: str = "",
    port: int = -1,
    prefix: Sequence[str] = (),
    store_bytes: int = STORE_BYTES,
    stalled_after_s: float = STALLED_AFTER_S,
) -> Starting:
    """Start a server on loopback that keeps everything under `store`; port -1 takes a free one. Does not wait for it.

    `prefix` is a command that starts the server for us; the server then has a session of its own.
    """
    store.mkdir(parents=True, exist_ok=True)
    config_file, log_file, ports_folder = store / "nats.conf", store / "nats.log", store / "ports"
    shutil.rmtree(ports_folder, ignore_errors=True)
    ports_folder.mkdir()
    jetstream = f"sync_interval: always, max_file_store: {store_bytes}, max_memory_store: 128MB"
    config_file.write_text(
        f'listen: "127.0.0.1:{port}"\nmax_payload: 2MB\nwrite_deadline: "10s"\n'
        f'ports_file_dir: "{ports_folder}"\nlog_file: "{log_file}"\n'
        f'jetstream {{ store_dir: "{store}", {jetstream} }}\n'
        f"{config}\n"
    )
    with (store / "nats.err").open("wb") as words:
        process = subprocess.Popen(
            [*prefix, binary, "-c", config_file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            start_new_session=bool(prefix),
        )
    return Starting(process, store, stalled_after_s=stalled_after_s)


def wait_for(starting: Starting, tell: Callable[[str], None] = lambda _: None) -> RunningServer:
    """The server, once it answers; one that does not is ended.

    Raises:
        InfrastructureError: it ended, or it hangs; its last words are in the message.
    """
    try:
        while (running := starting.look(tell)) is None:
            time.sleep(LOOK_EVERY_S)
    except BaseException:
        starting.end()
        raise
    return running


async def answering(starting: Starting, tell: Callable[[str], None]) -> RunningServer:
    """The same, while others go on with their work."""
    try:
        while (running := starting.look(tell)) is None:  # noqa: ASYNC110 - another process tells by a file
            await asyncio.sleep(LOOK_EVERY_S)
    except BaseException:
        starting.end()
        raise
    return running


def start_server(
    binary: Path, store: Path, *, config: str = "", port: int = -1, stalled_after_s: float = STALLED_AFTER_S
) -> RunningServer:
    """Start a server and wait for it; see `launch`.

    Raises:
        InfrastructureError: it ended, or it hangs; its last words are in the message.
    """
    return wait_for(launch(binary, store, config=config, port=port, stalled_after_s=stalled_after_s))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _tail(file: Path, *, after: int = 0) -> str:
    """The end of what was written behind a position."""
    if not file.exists():
        return ""
    with file.open("rb") as text:
        text.seek(max(after, _size(file) - 1000))
        return text.read().decode(errors="replace")
