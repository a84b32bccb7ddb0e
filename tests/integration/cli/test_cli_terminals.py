"""What the command says reaches every terminal, file and pipe, and never ends in a traceback."""

import asyncio
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncGenerator, Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import (
    CAUSE,
    pipeline_discovered,
)
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.stored_runs import store_run
from fastflow_gateway.testing import running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats
NAME = "Grüße ☃"
RUN = "01980000-0000-7000-8000-000000000001"
OUTPUT = "fünf €\n".encode() + b"\xff\n"
COMMANDS = (
    ("pipelines",),
    ("runs",),
    ("queue",),
    ("why", RUN),
    ("schedules", "list"),
    ("schedules", "next", NAME, "nächtlich"),
    ("repositories",),
    ("env", "list"),
    ("secret", "list"),
    ("artifacts", RUN),
    ("logs", RUN),
    ("logs", RUN, "--follow"),
    ("run", "Grüsse ☃"),
    ("cancel", RUN),
    ("rerun", "nöwhere"),
    ("pause", NAME),
    ("resume", NAME),
    ("hurry", RUN),
    ("validate", "nö folder"),
    ("subject", NAME),
    ("nö such verb",),
    ("--help",),
    ("run", "--help"),
)


class Said(NamedTuple):
    """What one command said."""

    code: int
    out: bytes
    err: bytes


ASCII = {"PYTHONIOENCODING": "ascii"}
OLD = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


EVERY = """
import json, sys
from fastflow_cli.__main__ import main
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    for stream in (sys.stdout, sys.stderr):
        stream.write("\\n" + MARK + "\\n")
    try:
        main()
    except SystemExit as end:
        print(MARK + str(end.code), flush=True)
""".replace("MARK", '"-- "')


class Command(NamedTuple):
    """`fastflow` as a process of its own, for one gateway."""

    url: str
    home: Path

    def start(self, *words: str, **more: Any) -> "subprocess.Popen[bytes]":
        """Start it with these words."""
        process: subprocess.Popen[bytes] = self._start("-m", "fastflow_cli", *words, **more)
        return process

    async def every(self, commands: Sequence[tuple[str, ...]], env: Mapping[str, str]) -> list[Said]:
        """One after the other in one process: starting it is what takes time."""
        given = json.dumps(commands)
        process = self._start("-c", EVERY, given, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, err.decode()
        outs, errs = (found.split(b"\n-- \n")[1:] for found in (out, err))
        return [
            Said(int(text.rpartition(b"-- ")[2]), text.rpartition(b"-- ")[0], words)
            for text, words in zip(outs, errs, strict=True)
        ]

    def _start(self, *arguments: str, env: Mapping[str, str] = MappingProxyType({}), **more: Any) -> Any:
        whole = {**os.environ, "FASTFLOW_URL": self.url, "FASTFLOW_HOME": str(self.home), **env}
        return subprocess.Popen([sys.executable, *arguments], env=whole, **more)


@pytest_asyncio.fixture
async def fastflow(nats_url: str, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[Command]:
    """The command for a gateway whose names are not ASCII."""
    log = jetstream_log
    discovered = pipeline_discovered(definition={"warnings": ["kein Schlüssel ✗ \x1b[31m rot"]})
    await log.append(Position(aggregate="pipeline", id=NAME), [discovered], cause=CAUSE)
    await log.append(
        Position(aggregate="schedule", id=f"{NAME}:nächtlich"),
        [ScheduleSet(pipeline=NAME, name="nächtlich", cron="0 3 * * *", timezone="Europe/Berlin", who="Jürgen")],
        cause=CAUSE,
    )
    await store_run(log, nc, RUN, output=OUTPUT, pipeline=NAME)
    async with running_gateway(nats_url, tmp_path / "gateway") as base:

        async def known() -> bool:
            async with httpx.AsyncClient(base_url=base, timeout=20) as client:
                return len((await client.get("/api/runs")).json()["items"]) == 1

        await eventually(known)
        yield Command(base, tmp_path / "home")


@pytest.mark.parametrize("env", [ASCII, OLD, {}], ids=["ascii", "C", "utf-8"])
async def test_no_command_ends_in_a_traceback_whatever_can_be_shown(fastflow: Command, env: dict[str, str]) -> None:
    found = dict(zip(COMMANDS, await fastflow.every(COMMANDS, env), strict=True))
    for words, result in found.items():
        assert b"Traceback" not in result.err, (words, result)
        assert result.code in range(7), (words, result)
        assert result.out.strip() or result.err, words
    table = found["pipelines",].out
    assert b"\x1b" not in table
    assert (r"Gr\xfc\xdfe \u2603" if env else NAME).encode() in table
    assert rb"\x1b[31m rot" in table
    assert found["logs", RUN].out == OUTPUT, "what a script wrote is never touched"


@pytest.mark.parametrize("words", [("runs",), ("runs", "--json"), ("--help",), ("logs", RUN, "--follow")])
@pytest.mark.parametrize(("gone", "other"), [("stdout", "stderr"), ("stderr", "stdout")])
async def test_whoever_stops_reading_has_seen_enough(
    fastflow: Command, words: tuple[str, ...], gone: str, other: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = fastflow.start(*words, **{gone: writer, other: subprocess.PIPE})
    os.close(writer)
    found = b"".join(text or b"" for text in await asyncio.to_thread(process.communicate))
    assert process.returncode == 0, found
    assert b"Traceback" not in found
    assert b"Exception ignored" not in found


async def test_without_an_output_or_with_a_full_one_it_ends_with_a_sentence(fastflow: Command) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    process = fastflow.start("runs", stdout=full, stderr=subprocess.PIPE)
    os.close(full)
    _, err = await asyncio.to_thread(process.communicate)
    assert process.returncode == 1
    assert b"No space left on device" in err
    assert b"Traceback" not in err
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        line = f'"$0" -m fastflow_cli runs {closed}'
        env = {**os.environ, "FASTFLOW_URL": fastflow.url}
        done = await asyncio.to_thread(
            subprocess.run, ["sh", "-c", line, sys.executable], env=env, capture_output=True, check=False
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), closed


@pytest.mark.parametrize("columns", [20, 80])
async def test_nothing_is_cut_off_however_narrow_the_terminal_is(fastflow: Command, columns: int) -> None:
    shown = await asyncio.to_thread(on_a_terminal, fastflow, ("runs",), columns)
    assert "Traceback" not in shown
    assert "\x1b[3" not in shown, "NO_COLOR is set"
    assert "…" not in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= columns
    assert RUN in plain.replace("\n     ", "").replace(" ", "")


def on_a_terminal(fastflow: Command, words: tuple[str, ...], columns: int) -> str:
    """What is to be seen on a terminal so wide."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {"NO_COLOR": "1", "TERM": "xterm", "COLUMNS": ""}
    process = fastflow.start(*words, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:  # nobody is at the other end
            break
        if not data:
            break
        seen += data
    os.close(ours)
    process.wait()
    return seen.decode().replace("\r\n", "\n")
