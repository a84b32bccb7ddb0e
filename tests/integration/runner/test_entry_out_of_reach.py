"""What runs a script is one of the script's own user, in the same container; still it is out of the script's reach."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from docker import DockerClient
from docker.errors import APIError
from fastflow_events.aggregates.run.specification import Limits
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import Exit, Launch
from fastflow_runner.testing.attacks_inside import FORGE, HUGE_MARKER, KILL, LEAVE_ORPHANS, LIE_ABOUT_THE_SENDER, REACH
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.executor_contract import eventually, read_all
from fastflow_runner.testing.standby import a_run, kept

from benchmarks.memory import forget_peak, peak_mb

pytestmark = pytest.mark.docker
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-reach-{os.getpid()}")


@pytest.fixture(params=["made for it", "waited for it"])
async def executor(proxy: str, request: pytest.FixtureRequest) -> AsyncIterator[DockerExecutor]:
    waiting = 1 if request.param == "waited for it" else 0
    async with kept(proxy, standby=waiting, deployment=DEPLOYMENT) as executor:
        yield executor


async def end_of(executor: DockerExecutor, launch: Launch) -> tuple[bytes, bytes, Exit]:
    async with asyncio.timeout(120):
        await executor.launch(launch)
        out, err = await read_all(executor, launch)
        end = await executor.wait(launch.ref, launch.nonce)
        await executor.remove(launch.ref)
    return out, err, end


async def test_a_script_cannot_open_trace_or_read_what_runs_it(executor: DockerExecutor) -> None:
    out, err, end = await end_of(executor, await a_run(executor, REACH))
    assert (json.loads(out), err, end.marker_code) == ([], b"", 0)


async def test_a_script_cannot_write_around_the_cap_or_forge_records(executor: DockerExecutor) -> None:
    launch = await a_run(executor, FORGE, Limits(output_bytes=100_000))
    out, err, end = await end_of(executor, launch)
    assert (out, err) == (b"nothing could be forged\n", b"")
    assert (end.marker_code, end.dropped_bytes, end.sent_bytes) == (0, 0, len(out))


async def test_no_signal_of_a_script_ends_or_stops_what_runs_it(executor: DockerExecutor) -> None:
    out, _, end = await end_of(executor, await a_run(executor, KILL))
    assert (out, end.marker_code, end.told_to_end, end.timed_out) == (b"still here\n", 0, False, False)


async def test_a_script_cannot_say_that_somebody_outside_told_it_to_end(executor: DockerExecutor) -> None:
    _, _, end = await end_of(executor, await a_run(executor, LIE_ABOUT_THE_SENDER))
    assert (end.ended_itself, end.told_to_end, end.signal) == (True, False, 15)


async def test_orphans_are_reaped_while_the_script_runs(executor: DockerExecutor) -> None:
    out, err, end = await end_of(executor, await a_run(executor, LEAVE_ORPHANS))
    assert (out, err, end.marker_code) == (b"all reaped\n", b"", 0)


async def test_a_marker_of_700_mb_is_no_marker_and_is_not_read(executor: DockerExecutor) -> None:
    forget_peak(os.getpid())
    before_mb = peak_mb(os.getpid())
    _, _, end = await end_of(executor, await a_run(executor, HUGE_MARKER))
    assert (end.exit_code, end.marker_code) == (0, None)
    assert peak_mb(os.getpid()) - before_mb < 200


@pytest.mark.parametrize("mode", ["run", "prepare", "build", "stage", "verify"])
async def test_who_waits_for_an_order_ends_when_it_is_told_to(person: DockerClient, mode: str) -> None:
    waiting = person.containers.run(DEPLOYMENT.image, [mode], stdin_open=True, detach=True)

    def told() -> bool:
        # An interpreter that is only starting hears nothing yet.
        with suppress(APIError):
            waiting.kill("SIGTERM")
        waiting.reload()
        return bool(waiting.status == "exited")

    try:
        await eventually(lambda: asyncio.to_thread(told), within_s=60)
        assert waiting.attrs["State"]["ExitCode"] == 143
    finally:
        await asyncio.to_thread(waiting.remove, force=True)
