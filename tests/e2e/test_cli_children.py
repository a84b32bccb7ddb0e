"""Child processes: leashed, watched, started again, ended in order."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastflow_cli.local import die_with_parent
from fastflow_cli.local.logs import last_words, tail
from fastflow_cli.local.spawn import spawn
from fastflow_cli.local.supervisor import Supervisor, supervising
from fastflow_events.testing.eventually import eventually

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def lives(pid: int) -> bool:
    """True while the process does anything; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start(argv: list[str], log: Path) -> "Callable[[], subprocess.Popen[bytes]]":
    return lambda: spawn(argv, os.environ, log)


async def up(log: Path, times: int = 1) -> None:
    await eventually(lambda: log.exists() and log.read_text().count("up\n") == times)


async def pid_after(supervisor: Supervisor, earlier: int | None) -> int:
    def other() -> int | None:
        pid = supervisor.pids().get("child")
        return pid if pid != earlier else None

    pid = await eventually(other)
    assert pid is not None
    return pid


@pytest.mark.parametrize("how", [[], ["--watch"]], ids=["held by the kernel", "watched"])
async def test_a_leashed_program_does_not_outlive_a_killed_parent(tmp_path: Path, how: list[str]) -> None:
    parent_code = f"""
import os, subprocess, sys, time
child = {SLEEPER!r}[:2] + ["import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
subprocess.Popen([sys.executable, {die_with_parent.__file__!r}, *{how!r}, str(os.getpid()), *child])
time.sleep(600)
"""
    argv = [sys.executable, "-c", parent_code]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:  # noqa: ASYNC220 - nothing else runs here
        assert parent.stdout is not None
        program = int(parent.stdout.readline())
        assert lives(program)
        parent.kill()
    await eventually(lambda: not lives(program), within_s=5)


def test_a_program_whose_parent_is_gone_already_does_not_start() -> None:
    nobody = "1" if os.getppid() != 1 else "2"
    done = subprocess.run(
        [sys.executable, die_with_parent.__file__, nobody, "echo", "hello"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (die_with_parent.PARENT_GONE, b"")


def test_a_watched_program_keeps_its_exit_code() -> None:
    code = [sys.executable, "-c", "raise SystemExit(7)"]
    done = subprocess.run([sys.executable, die_with_parent.__file__, "--watch", str(os.getpid()), *code], check=False)
    assert done.returncode == 7


async def test_a_killed_child_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    seen: list[str] = []
    log = tmp_path / "child.log"
    async with supervising(seen.append) as supervisor:
        supervisor.start("child", start(SLEEPER, log))
        await up(log)
        first = await pid_after(supervisor, None)
        os.kill(first, signal.SIGKILL)
        second = await pid_after(supervisor, first)
        assert any("child was killed by SIGKILL" in line and "again in 0.5 s" in line for line in seen)
        await up(log, times=2)
    await eventually(lambda: not lives(second), within_s=5)


async def test_a_child_that_cannot_be_started_again_is_tried_again(tmp_path: Path) -> None:
    seen: list[str] = []
    log = tmp_path / "child.log"
    failures = iter([False, True, False])

    def sometimes() -> "subprocess.Popen[bytes]":
        if next(failures):
            raise OSError("no processes left")
        return spawn(SLEEPER, os.environ, log)

    async with supervising(seen.append) as supervisor:
        supervisor.start("child", sometimes)
        first = await pid_after(supervisor, None)
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: supervisor.pids().get("child") not in (first, None))
        assert any("child does not start: no processes left" in line for line in seen)


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace_period(tmp_path: Path) -> None:
    seen: list[str] = []
    polite, stubborn = tmp_path / "polite.log", tmp_path / "stubborn.log"
    async with supervising(seen.append) as supervisor:
        supervisor.start("polite", start(SLEEPER, polite))
        supervisor.start("stubborn", start(STUBBORN, stubborn))
        await up(polite)
        await up(stubborn)
        pids = supervisor.pids()
        before = time.monotonic()
        await supervisor.stop(["polite", "stubborn"], grace_s=0.5)
        assert time.monotonic() - before >= 0.5
        assert not any(lives(pid) for pid in pids.values())
        assert seen == ["stubborn did not stop within 0.5 s and was killed"]
        await asyncio.sleep(0)
        assert supervisor.pids() == {}


async def test_a_stopped_child_stays_stopped_until_it_is_wanted_again(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    async with supervising(lambda _: None) as supervisor:
        supervisor.start("child", start(SLEEPER, log))
        await up(log)
        await supervisor.stop(["child"], grace_s=5)
        assert supervisor.pids() == {}
        supervisor.restart("child")
        await up(log, times=2)


def test_the_last_words_of_a_log_are_a_message_or_a_line(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert last_words(log) == "it said nothing"
    log.write_text('{"level":"error","message":"the key is wrong"}\n\n')
    assert last_words(log) == "the key is wrong"
    log.write_text("Traceback\nValueError: no\n")
    assert last_words(log) == "ValueError: no"
    log.write_text("".join(f"{n}\n" for n in range(100)))
    assert tail(log, 2) == ["98", "99"]
