"""How scripts end in containers, of themselves or because somebody wants it: each end is told apart, in a sentence."""

import os
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress

import pytest
import pytest_asyncio
from docker import DockerClient
from docker.errors import APIError
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunStarted
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.execute import execute
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Cause
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_runner.testing.socket_proxy import socket_proxy

pytestmark = [pytest.mark.nats, pytest.mark.docker]
OWNER = f"ends-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")
SMALL = Limits(memory_bytes=64 << 20, pids=64)
FEW = Limits(memory_bytes=512 << 20, pids=32)
EATER = "blob = bytearray()\nwhile True: blob += bytes(1 << 20)"
SLEEPER = "import time\nprint('on', flush=True)\ntime.sleep(600)"
DEAF = f"import signal\nsignal.signal(15, signal.SIG_IGN)\n{SLEEPER}"
BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: {then}"
TOLD = (
    "what runs the script was told to end (SIGTERM): the engine was shut down, somebody stopped it, or the script did"
)
SHORTENED = """
import mmap, os
with open("/dev/shm/f", "w+b") as file:
    file.truncate(1 << 20)
    memory = mmap.mmap(file.fileno(), 1 << 20)
    file.truncate(0)
    memory[0] = 1
"""
RUDE = "import os, time\nprint('on', flush=True)\nos.kill(os.getppid(), 9)\ntime.sleep(1)"
TIDY = """
import signal, sys, time
def tidy(*_):
    print("tidying up", flush=True)
    time.sleep(4)
    sys.exit(0)
signal.signal(15, tidy)
print("on", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with nats_server(tmp_path_factory.mktemp("nats")) as url:
        yield url


@pytest.fixture(scope="module")
def runner(url: str, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[LivingRunner]:
    """One for all tests of this page: nothing that a script does reaches the next."""
    with socket_proxy(tmp_path_factory.mktemp("proxy"), engine=engine, deployment=DEPLOYMENT) as proxy:
        settings = {"executor": "docker", "docker_url": proxy, "docker_network": "bridge", "standby": "1"}
        home = tmp_path_factory.mktemp("home")
        runner = LivingRunner(home, url, name=OWNER, docker_volume=DEPLOYMENT.volume, **settings)
        yield runner
        runner.stop()


@pytest_asyncio.fixture
async def bus(url: str, runner: LivingRunner) -> AsyncGenerator[Connection]:
    async with connect(Settings(nats_url=url), "test") as nc:
        await deploy(nc)
        if runner.process is None:
            runner.start()
        yield nc


@pytest.fixture
def log(bus: Connection) -> JetStreamLog:
    return JetStreamLog(bus, source="/fastflow/test/1")


async def end_of(log: JetStreamLog, run_id: str) -> RunAttemptFinished:
    [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=120)
    assert isinstance(end, RunAttemptFinished)
    return end


async def begun(
    bus: Connection, log: JetStreamLog, script: str, words: str = "on\n", timeout_s: float | None = None
) -> str:
    """A run that has written these words."""
    run_id = await submit(bus, log, script, timeout_s=timeout_s)

    async def written() -> bool:
        return text_of(await chunks_of(bus, run_id)) == words

    await eventually(written, within_s=60)
    return run_id


async def cancel(log: JetStreamLog, run_id: str) -> None:
    await execute(log, run_decider, run_id, RequestCancel(who="ann"), cause=Cause(correlation_id="test"))


@pytest.mark.parametrize(
    ("script", "how", "sentence"),
    [
        ("raise SystemExit(3)", (3, None), "the script ended with exit code 3"),
        ("raise SystemExit(137)", (137, None), "the script ended with exit code 137"),
        ("import os\nos.kill(os.getpid(), 11)", (139, 11), "the script was ended by signal 11 (SIGSEGV)"),
        ("import os\nos.kill(os.getpid(), 9)", (137, 9), "the script was ended by signal 9 (SIGKILL)"),
        (
            SHORTENED,
            (135, 7),
            "the script was ended by signal 7 (SIGBUS): a mapped file or shared memory (/dev/shm) had no room left, "
            "or was made shorter",
        ),
        (
            "import os, time\nos.kill(os.getppid(), 15)\ntime.sleep(60)",
            (143, 15),
            "the script was ended by signal 15 (SIGTERM); it had told what runs it to end (SIGTERM)",
        ),
    ],
)
async def test_a_script_that_fails_says_how_and_137_alone_is_not_a_lack_of_memory(
    bus: Connection, log: JetStreamLog, script: str, how: tuple[int, int | None], sentence: str
) -> None:
    end = await end_of(log, await submit(bus, log, script))
    assert (end.outcome, (end.exit_code, end.signal), end.detail) == ("failed", how, sentence)


async def test_a_script_that_kills_what_runs_it_goes_on(bus: Connection, log: JetStreamLog) -> None:
    """The kernel keeps the first process of a container from those that are inside."""
    end = await end_of(log, await submit(bus, log, RUDE))
    assert (end.outcome, end.detail) == ("succeeded", "")


async def test_only_time_ends_a_script_for_its_time(bus: Connection, log: JetStreamLog) -> None:
    script = "import os, time\nos.kill(os.getppid(), 14)\ntime.sleep(1)"
    end = await end_of(log, await submit(bus, log, script, timeout_s=60))
    assert (end.outcome, end.detail) == ("succeeded", "")


async def test_a_script_without_a_limit_may_use_half_of_the_machine_and_is_told_so(
    bus: Connection, log: JetStreamLog, person: DockerClient
) -> None:
    half = int(person.info()["MemTotal"]) // 2
    run_id = await begun(bus, log, SLEEPER)
    [began] = await facts_of(log, run_id, RunStarted)
    assert isinstance(began, RunStarted)
    assert began.manifest.memory_bytes == half
    assert person.containers.get(f"{DEPLOYMENT.names.prefix}{run_id}-1").attrs["HostConfig"]["Memory"] == half
    await cancel(log, run_id)
    await end_of(log, run_id)


async def test_shared_memory_is_as_large_as_a_script_needs_it_and_counts_as_memory(
    bus: Connection, log: JetStreamLog
) -> None:
    script = "with open('/dev/shm/f', 'wb') as file:\n    for _ in range(200): file.write(bytes(1 << 20))"
    end = await end_of(log, await submit(bus, log, script))
    assert (end.outcome, end.detail) == ("succeeded", "")
    end = await end_of(log, await submit(bus, log, script, limits=SMALL))
    assert (end.outcome, end.detail) == ("out_of_memory", "it needed more memory than it may use (64 MiB)")


async def test_a_script_that_needs_too_much_memory_is_told_how_much_it_had(bus: Connection, log: JetStreamLog) -> None:
    end = await end_of(log, await submit(bus, log, EATER, limits=SMALL))
    sentence = "it needed more memory than it may use (64 MiB)"
    assert (end.outcome, end.exit_code, end.signal, end.detail) == ("out_of_memory", 137, 9, sentence)


async def test_a_script_that_writes_too_much_is_told_how_much_it_might(bus: Connection, log: JetStreamLog) -> None:
    script = "file = open('x', 'wb')\nwhile True: file.write(bytes(1 << 20)); file.flush()"
    end = await end_of(log, await submit(bus, log, script, limits=Limits(disk_bytes=64 << 20, pids=64)))
    assert (end.outcome, end.exit_code, end.signal) == ("out_of_disk", 137, 9)
    assert end.detail == "it wrote more to the disk than it may keep there (64 MiB)"


async def test_a_script_that_survives_its_hungry_child_succeeds_with_a_remark(
    bus: Connection, log: JetStreamLog
) -> None:
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {EATER!r}])"
    end = await end_of(log, await submit(bus, log, script, limits=SMALL))
    sentence = "a process that it started was killed because it needed more memory than it may use"
    assert (end.outcome, end.exit_code, end.detail) == ("succeeded", 0, sentence)


async def test_a_fork_bomb_meets_its_limit_and_harms_nobody_else(bus: Connection, log: JetStreamLog) -> None:
    """One gives up at the limit, the other tries on until its time is over; other runs are not disturbed by either."""
    gives_up = await submit(bus, log, BOMB.format(then="raise"), limits=FEW)
    goes_on = await submit(bus, log, BOMB.format(then="pass"), limits=FEW, timeout_s=5)
    assert (await end_of(log, await submit(bus, log, "print('meanwhile')"))).outcome == "succeeded"
    end = await end_of(log, gives_up)
    sentence = "the script ended with exit code 1; it wanted more processes or threads than it may have"
    assert (end.outcome, end.exit_code, end.detail) == ("failed", 1, sentence)
    assert "BlockingIOError: [Errno 11] Resource temporarily unavailable" in text_of(
        await chunks_of(bus, gives_up), "stderr"
    )
    end = await end_of(log, goes_on)
    assert (end.outcome, end.detail) == ("timed_out", "it ran longer than 5 s and was ended")
    assert (await end_of(log, await submit(bus, log, "print('afterwards')"))).outcome == "succeeded"


async def test_a_script_that_takes_too_long_is_asked_to_end_and_then_killed(bus: Connection, log: JetStreamLog) -> None:
    asked, killed = [await submit(bus, log, script, timeout_s=3) for script in (SLEEPER, DEAF)]
    for run_id, code, number in ((asked, 143, 15), (killed, 137, 9)):
        end = await end_of(log, run_id)
        sentence = "it ran longer than 3 s and was ended"
        assert (end.outcome, end.exit_code, end.signal, end.detail) == ("timed_out", code, number, sentence)


async def test_a_container_that_somebody_kills_stops_or_removes_is_no_failure_of_its_script(
    bus: Connection, log: JetStreamLog, runner: LivingRunner, person: DockerClient
) -> None:
    killed, stopped, removed = [await begun(bus, log, SLEEPER) for _ in range(3)]
    person.containers.get(f"{DEPLOYMENT.names.prefix}{killed}-1").kill()
    person.containers.get(f"{DEPLOYMENT.names.prefix}{stopped}-1").stop(timeout=10)
    # Removing kills first: a runner that looked in between would speak of that.
    runner.signal(signal.SIGSTOP)
    try:
        person.containers.get(f"{DEPLOYMENT.names.prefix}{removed}-1").remove(force=True, v=True)
    finally:
        runner.signal(signal.SIGCONT)
    for run_id, code, sentence in (
        (killed, 137, "it was killed (exit code 137), not for memory: from outside, or by a process of the script"),
        (stopped, 143, TOLD),
        (removed, None, "somebody removed it while it ran, so nobody knows what became of the script"),
    ):
        end = await end_of(log, run_id)
        assert (end.outcome, end.exit_code, end.detail) == ("infrastructure_error", code, sentence)
        assert text_of(await chunks_of(bus, run_id)) == "on\n"


async def test_what_cannot_be_prepared_is_told_and_never_started(bus: Connection, log: JetStreamLog) -> None:
    nowhere = await submit(bus, log, "print(1)", tree="e" * 40)
    unknown = await submit(bus, log, "print(1)", requirements="no-such-package-of-anybody==9\n")
    end = await end_of(log, nowhere)
    sentence = "the script was not started: the code bundle is not in the object store"
    assert (end.outcome, end.exit_code, end.detail) == ("infrastructure_error", None, sentence)
    end = await end_of(log, unknown)
    assert (end.outcome, end.exit_code) == ("dependency_error", None)
    assert "no-such-package-of-anybody was not found" in end.detail
    assert "no-such-package-of-anybody was not found" in text_of(await chunks_of(bus, unknown), "stderr")
    for run_id in (nowhere, unknown):
        assert not await facts_of(log, run_id, RunStarted)


async def test_a_run_that_is_cancelled_while_it_is_prepared_is_not_started(
    bus: Connection, log: JetStreamLog, person: DockerClient
) -> None:
    run_id = await submit(bus, log, "print(1)", requirements="requests\nrich\nhttpx\n")

    def held() -> bool:
        for container in person.containers.list(
            filters={"name": f"{DEPLOYMENT.names.prefix}prepare-", "label": f"fastflow.tool={OWNER}"}
        ):
            with suppress(APIError):
                container.pause()
                return True
        return False

    await eventually(held, within_s=60)
    await cancel(log, run_id)
    end = await end_of(log, run_id)
    assert (end.outcome, end.exit_code, end.detail) == ("cancelled", None, "cancelled: before the script was started")
    assert not await facts_of(log, run_id, RunStarted)


async def test_a_script_that_is_cancelled_is_asked_to_end_and_then_killed(bus: Connection, log: JetStreamLog) -> None:
    asked, killed = [await begun(bus, log, script) for script in (SLEEPER, DEAF)]
    for run_id in (asked, killed):
        await cancel(log, run_id)
    end = await end_of(log, asked)
    sentence = "cancelled: the script was ended by signal 15 (SIGTERM)"
    assert (end.outcome, end.exit_code, end.detail) == ("cancelled", 143, sentence)
    end = await end_of(log, killed)
    sentence = "cancelled: the script did not end when it was asked to, and was killed"
    assert (end.outcome, end.exit_code, end.detail) == ("cancelled", 137, sentence)


async def test_a_cancel_that_comes_while_a_script_is_ending_still_counts(bus: Connection, log: JetStreamLog) -> None:
    run_id = await begun(bus, log, TIDY, "on\ntidying up\n", timeout_s=3)
    await cancel(log, run_id)
    end = await end_of(log, run_id)
    sentence = "cancelled: it ran longer than 3 s and was ended"
    assert (end.outcome, end.exit_code, end.detail) == ("cancelled", 0, sentence)
