"""`fastflow` as somebody types it, against an installation of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastflow_events.testing.eventually import eventually

FASTFLOW = [sys.executable, "-m", "fastflow_cli"]


class Terminal:
    """Commands against one home."""

    def __init__(self, home: Path, source: Path, **more: str) -> None:
        """`more` is set in its environment."""
        self.home = home
        self.source = source
        self.pid = 0
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FASTFLOW_") or k == "FASTFLOW_NATS_SERVER"}
        self.env = {**kept, "FASTFLOW_HOME": str(home), **more}

    def type(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; returns what it answered."""
        done = subprocess.run(
            [*FASTFLOW, *arguments], env=self.env, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def up(self, *port: str) -> "Iterator[subprocess.Popen[str]]":
        """`fastflow up`, once it is ready; ended at the end if it still runs."""
        argv = [*FASTFLOW, "up", *(port or ("--port", "0")), "--executor", "process", "--git-url", str(self.source)]
        log = self.home.with_name("up.log")
        with log.open("a") as file:
            process = subprocess.Popen(argv, env=self.env, stdout=file, stderr=subprocess.STDOUT, text=True)
        self.pid = process.pid
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            print(log.read_text())  # noqa: T201 - pytest shows it when the test fails

    async def ready(self) -> dict[str, int]:
        """Wait until it is; returns the children."""
        state = await eventually(self._state, within_s=60)
        assert state is not None
        return state

    def _state(self) -> dict[str, int] | None:
        file = self.home / "up.json"
        state = json.loads(file.read_text()) if file.exists() else {}
        return state["children"] if state.get("ready") and state["pid"] == self.pid else None
