"""The runner as people start it: a process of its own, which tests feed with facts and kill."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import DispatchAttempt, RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.fact import Fact
from fastflow_events.log import EventLog
from fastflow_events.nats.bundles import store_bundle
from fastflow_events.nats.direct_get import get_all
from fastflow_events.nats.topology import DEFAULT_POOL, OUTPUT
from fastflow_events.output import Chunk, decode_chunk
from fastflow_events.recorded import Cause, Position
from msgspec.structs import replace
from nats.aio.client import Client

from fastflow_runner.testing.builders import INSTALLATION, a_specification, bundle_of
from fastflow_runner.testing.tools import find_uv

_STOP_WITHIN_S = 15.0
WAITER = """
import os, time
print("begins", flush=True)
while not os.path.exists({flag!r}):
    time.sleep(0.05)
print("ends")
"""
"""A script that lives until the file `flag` is there."""


class LivingRunner:
    """One runner; may be started, killed and started again, and keeps its name and its home."""

    def __init__(self, home: Path, nats_url: str, name: str = "r1", **settings: str) -> None:
        self._variables = {
            **os.environ,
            "FASTFLOW_NATS_URL": nats_url,
            "FASTFLOW_HOME": str(home),
            "FASTFLOW_INSTANCE": name,
            "FASTFLOW_UV": find_uv(),
            "FASTFLOW_INSTALLATION": INSTALLATION,
            **{f"FASTFLOW_{key.upper()}": value for key, value in settings.items()},
        }
        self.name = name
        self.log_file = home / f"{name}.log"
        home.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, crash_at: str | None = None, **settings: str) -> "subprocess.Popen[bytes]":
        """Start it; `settings` hold for this start only, which ends as by `kill -9` after the phase `crash_at`."""
        variables = self._variables | {f"FASTFLOW_{key.upper()}": value for key, value in settings.items()}
        with self.log_file.open("ab") as log:
            program = ["fastflow_runner"] if crash_at is None else ["fastflow_runner.testing.mortal", crash_at]
            command = [sys.executable, "-m", *program]
            self.process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.process

    def kill(self) -> None:
        """`kill -9`, and nothing else."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._signal(signal.SIGTERM)

    def log_text(self) -> str:
        """Its log lines, of all starts together."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    def signal(self, number: int) -> None:
        """Signal it and do not wait."""
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait until it ends by itself; its exit code."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, 60.0)

    def _signal(self, number: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            return self.process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process = None


async def submit(
    nc: Client,
    log: EventLog,
    script: str,
    *,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    requirements: str = "",
    timeout_s: float | None = None,
    pool: str = DEFAULT_POOL,
    **more: object,
) -> str:
    """Request and dispatch a run of a one-script pipeline whose code is stored; returns its id."""
    tree, bundle = bundle_of({"main.py": script, **(files or {})})
    await store_bundle(nc, tree, io.BytesIO(bundle), at=datetime.now(UTC))
    specification = replace(
        a_specification(tree, requirements=requirements, timeout_s=timeout_s), env=dict(env or {}), **more
    )
    return await dispatch(log, specification, pool)


async def dispatch(log: EventLog, specification: Specification, pool: str = DEFAULT_POOL) -> str:
    """Request a run and dispatch its first attempt, at once, so that no scheduler comes in between; returns its id."""
    run_id = str(uuid.uuid4())
    cause = Cause(correlation_id=run_id)
    request = RunRequested(pipeline=specification.pipeline, trigger=Trigger(kind="http", who="test"))
    facts: list[Fact] = []
    for command in (RequestRun(request=request), DispatchAttempt(pool=pool, term=1, specification=specification)):
        facts += run_decider.decide(command, run_decider.fold(facts))
    await log.append(Position(aggregate="run", id=run_id), facts, cause=cause)
    return run_id


async def facts_of(log: EventLog, run_id: str, kind: type[Fact]) -> list[Fact]:
    """The facts of one type that a run has."""
    return [fact for fact in (await log.load("run", run_id)).facts if isinstance(fact, kind)]


async def chunks_of(nc: Client, run_id: str, attempt: int = 1) -> list[Chunk]:
    """Every stored chunk of an attempt."""
    subject = subjects.output(run_id, attempt, subjects.ANY)
    return [decode_chunk(stored.data) async for stored in get_all(nc, OUTPUT, subject=subject)]


def text_of(chunks: list[Chunk], stream: str = "stdout") -> str:
    """One stream of stored output; fails where frames are missing or stored twice."""
    expected, data = 0, b""
    for chunk in chunks:
        assert chunk.first == expected, f"a chunk begins with frame {chunk.first}, not {expected}"
        expected = chunk.next
        data += b"".join(frame.data for frame in chunk.frames if frame.stream == stream)
    return data.decode()
