"""`fastflow` as somebody types it: a real installation, real processes, no stand-ins."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from fastflow_cli.testing.product import repository
from fastflow_cli.testing.terminal import FASTFLOW, Terminal
from fastflow_events.testing.eventually import eventually

# They use the ports that people know.
pytestmark = [pytest.mark.nats, pytest.mark.e2e, pytest.mark.xdist_group("known-ports")]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    source = tmp_path / "pipelines"
    source.mkdir()
    return Terminal(tmp_path / "home", repository(source))


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def working_for(home: Path) -> list[str]:
    """Every process that was told about this home, the tests' own aside."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            text = command.encode() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() in text and lives(int(folder.name)):
            found.append(command)
    return found


async def test_a_run_from_a_second_terminal_ends_as_the_run_ends(terminal: Terminal) -> None:
    with terminal.up():
        await terminal.ready()
        await eventually(lambda: "hello" in terminal.type("pipelines"), within_s=60)
        assert "already running at http://127.0.0.1:" in terminal.type("up")
        shown = terminal.type("status")
        assert "executor process" in shown
        for child in ("nats", "gateway", "git_sync", "scheduler", "runner"):
            assert child in shown

        printed = terminal.type("run", "hello", "-p", "A=1", "-e", "B=2", "--follow")
        assert "Hello, world!\n" in printed
        assert "succeeded" in printed
        assert "about to fail" in terminal.type("run", "fails", "--follow", code=1)
        assert "there is no pipeline nope" in terminal.type("run", "nope", code=4)
        assert "error:" in terminal.type("run", "hello", "-e", "FASTFLOW_RUN_ID=x", code=2)

        rows = json.loads(terminal.type("runs", "--json"))["items"]
        assert [(row["pipeline"], row["status"]) for row in rows] == [("fails", "failed"), ("hello", "succeeded")]
        assert rows[1]["params"] == {"A": "1"}
        assert terminal.type("logs", rows[1]["id"]) == "Hello, world!\n"
        assert "about to fail" in terminal.type("logs", rows[0]["id"], "--follow", code=1)
        assert "no such run" in terminal.type("logs", "nothing", code=4)

        facts = terminal.type("events", "tail", "--no-follow", "--type", "run.finished", "--json").splitlines()
        assert [json.loads(fact)["data"]["outcome"] for fact in facts] == ["succeeded", "failed"]

        before, after = re.findall(r"sha256 ([0-9a-f]{64})", terminal.type("rebuild"))
        assert before == after
        assert before in terminal.type("rebuild", "--check")

        terminal.type("down")
    assert working_for(terminal.home) == []
    assert "nothing runs" in terminal.type("status", code=3)
    assert "nothing runs" in terminal.type("down")
    assert "fastflow up" in terminal.type("runs", code=3)


async def test_two_that_start_in_the_same_moment_do_not_take_each_other_for_themselves(
    terminal: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "other" / "pipelines" / "only_here").mkdir(parents=True)
    (tmp_path / "other" / "pipelines" / "only_here" / "main.py").write_text("print(1)\n")
    other = Terminal(tmp_path / "other" / "home", repository(tmp_path / "other" / "pipelines"))
    with terminal.up("--host", "127.0.0.1"), other.up("--host", "127.0.0.1"):
        await terminal.ready()
        await other.ready()
        await eventually(lambda: "only_here" in other.type("pipelines"), within_s=60)
        assert "only_here" not in terminal.type("pipelines")
        assert "Hello, world!" in terminal.type("run", "hello", "--follow")
        assert "1\n" in other.type("run", "only_here", "--follow")
    for one in (terminal, other):
        assert "starting it again" not in one.home.with_name("up.log").read_text()


async def test_a_cancelled_run_ends_the_following_command_with_its_own_code(terminal: Terminal) -> None:
    with terminal.up():
        await terminal.ready()
        await eventually(lambda: "steady" in terminal.type("pipelines"), within_s=60)
        run_id = terminal.type("run", "steady", "-e", "STEPS=600").split()[0]
        argv = [*FASTFLOW, "logs", run_id, "--follow"]
        with subprocess.Popen(argv, env=terminal.env, stdout=subprocess.PIPE, text=True) as follower:  # noqa: ASYNC220
            assert follower.stdout is not None
            assert follower.stdout.readline() == "begin\n"
            terminal.type("cancel", run_id, "--why", "a test")
            assert follower.wait(60) == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_a_signal_ends_everything_in_order_and_leaves_no_process(
    terminal: Terminal, number: signal.Signals
) -> None:
    with terminal.up() as up:
        await terminal.ready()
        up.send_signal(number)
        assert up.wait(40) == 0
    assert working_for(terminal.home) == []
    printed = terminal.home.with_name("up.log").read_text()
    assert "stopping" in printed
    assert "killed" not in printed


async def test_a_signal_while_it_starts_leaves_no_process(terminal: Terminal) -> None:
    with terminal.up() as up:
        await eventually((terminal.home / "nats" / "nats.log").exists, within_s=30)
        up.send_signal(signal.SIGINT)
        up.wait(40)
    assert working_for(terminal.home) == []


async def test_when_up_is_killed_nothing_of_it_stays_and_the_next_one_goes_on(terminal: Terminal) -> None:
    with terminal.up() as up:
        children = await terminal.ready()
        up.kill()
        up.wait()
        await eventually(lambda: not any(lives(pid) for pid in children.values()), within_s=5)
        await eventually(lambda: working_for(terminal.home) == [], within_s=10)  # a `git` of git_sync ends by itself
    with terminal.up():
        await terminal.ready()
        await eventually(lambda: "Hello, world!" in terminal.type("run", "hello", "--follow"), within_s=60)


async def test_a_killed_service_and_a_killed_bus_come_back_and_it_is_said(terminal: Terminal) -> None:
    with terminal.up():
        children = await terminal.ready()
        await eventually(lambda: "hello" in terminal.type("pipelines"), within_s=60)
        for name in ("nats", "gateway"):
            os.kill(children[name], signal.SIGKILL)

        def again() -> bool:
            now = terminal._state()
            return now is not None and all(now.get(n) not in (None, children[n]) for n in ("nats", "gateway"))

        await eventually(again, within_s=30)
        assert "gateway was killed by SIGKILL" in terminal.home.with_name("up.log").read_text()
        await eventually(lambda: "Hello, world!" in terminal.type("run", "hello", "--follow"), within_s=60)


def test_a_taken_port_is_said_with_the_line_to_type(terminal: Terminal) -> None:
    from socket import create_server  # noqa: PLC0415

    with create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        printed = terminal.type(
            "up", "--port", port, "--executor", "process", "--git-url", str(terminal.source), code=2
        )
    assert f"port {port} on 127.0.0.1 is taken" in printed
    assert "type:  fastflow up --port" in printed


def test_a_forced_docker_executor_without_an_engine_fails_instead_of_falling_back(terminal: Terminal) -> None:
    terminal.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    printed = terminal.type("up", "--executor", "docker", "--git-url", str(terminal.source), code=6)
    assert "/nowhere/docker.sock does not exist" in printed
    assert "type:  make docker" in printed
