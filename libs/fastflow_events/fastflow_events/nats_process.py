"""Start nats-server as a child process: for `fastflow up`, the demo, tests and benchmarks."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fastflow_events.errors import InfrastructureError

MINIMUM = (2, 12)
START_WITHIN_S = 20.0


class RunningServer(NamedTuple):
    """A server that answers."""

    process: "subprocess.Popen[bytes]"
    url: str


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


def start_server(
    binary: Path, store: Path, *, config: str = "", port: int = -1, prefix: Sequence[str] = ()
) -> RunningServer:
    """Start a server on loopback that keeps everything under `store`; port -1 takes a free one.

    `prefix` is a command that starts the server for us; the server then has a session of its own.

    Raises:
        InfrastructureError: it ended, or did not answer in time; its last words are in the message.
    """
    store.mkdir(parents=True, exist_ok=True)
    config_file, log_file, ports_folder = store / "nats.conf", store / "nats.log", store / "ports"
    shutil.rmtree(ports_folder, ignore_errors=True)
    ports_folder.mkdir()
    config_file.write_text(
        f'listen: "127.0.0.1:{port}"\nmax_payload: 2MB\nwrite_deadline: "10s"\n'
        f'ports_file_dir: "{ports_folder}"\nlog_file: "{log_file}"\n'
        f'jetstream {{ store_dir: "{store}", sync_interval: always, max_file_store: 32GB, max_memory_store: 128MB }}\n'
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
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        for file in ports_folder.glob("*.ports"):
            urls = json.loads(file.read_text() or "{}").get("nats")
            if urls:
                return RunningServer(process, urls[0])
        if process.poll() is not None:
            break
        time.sleep(0.005)
    process.kill()
    process.wait()
    last_words = "".join(f.read_text(errors="replace")[-1000:] for f in (store / "nats.err", log_file) if f.exists())
    raise InfrastructureError(f"nats-server did not start: {last_words}".strip())
