# ruff: noqa: D102 - the names of tests are sentences
"""What every executor does alike: one class of tests, inherited by the tests of each."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256

import pytest
from fastflow_events.aggregates.run.specification import Limits, Requirements
from msgspec import structs

from fastflow_runner.ports import DependencyError, Executor, Exit, Launch, NotAfterError
from fastflow_runner.testing.builders import a_launch, a_specification, bundle_of
from fastflow_runner.testing.patient import patiently

WITHIN_S = 90.0


async def read_all(executor: Executor, launch: Launch, *, skip: int = 0, follow: bool = True) -> tuple[bytes, bytes]:
    """Everything the attempt wrote to standard output and error; indexes are checked to be without holes.

    Where the entry program says that bytes are missing stands `[gap]`.
    """
    out = {"stdout": b"", "stderr": b""}
    expected = skip
    async for frame in executor.frames(launch.ref, skip=skip, follow=follow):
        assert frame.index == expected
        expected += 1
        out[frame.stream] += b"[gap]" if frame.gap_bytes else frame.data
    return out["stdout"], out["stderr"]


async def eventually(check: Callable[[], Awaitable[bool]], *, within_s: float = 20.0) -> None:
    """Return once `check` is true."""
    give_up = time.monotonic() + within_s
    while not await check():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(0.02)


class ExecutorContract:
    """Needs a fixture `executor`."""

    async def a_launch(self, executor: Executor, script: str | bytes, **needs: object) -> Launch:
        """A launch of a one-file pipeline, everything prepared."""
        env = needs.pop("env", None)
        lease_s = needs.pop("lease_s", 60.0)
        tree, bundle = bundle_of({"main.py": script})
        await executor.stage_code(tree, bundle)
        specification = a_specification(tree, **needs)  # type: ignore[arg-type]
        prepared = await patiently(executor, specification)
        return a_launch(specification, prepared, env=env, lease_s=lease_s)  # type: ignore[arg-type]

    async def run(self, executor: Executor, script: str | bytes, **needs: object) -> tuple[bytes, bytes, Exit]:
        """Output, errors and end of a script; the attempt is removed."""
        launch = await self.a_launch(executor, script, **needs)
        async with asyncio.timeout(WITHIN_S):
            await executor.launch(launch)
            out, err = await read_all(executor, launch)
            end = await executor.wait(launch.ref, launch.nonce)
            again = await read_all(executor, launch, follow=False)
            await executor.remove(launch.ref)
        assert again == (out, err)
        return out, err, end

    async def test_a_script_runs_and_its_end_is_proven(self, executor: Executor) -> None:
        out, err, end = await self.run(executor, "print('hello')")
        assert (out, err) == (b"hello\n", b"")
        assert (end.exit_code, end.marker_code, end.signal) == (0, 0, None)
        assert end.cpu_s is not None
        assert end.cpu_s > 0
        assert end.peak_memory_bytes is not None
        assert 1 << 20 < end.peak_memory_bytes < 1 << 30

    @pytest.mark.parametrize("who", ["tell()", "if os.fork() == 0: tell()"])
    async def test_a_script_that_tells_what_runs_it_to_end_is_told_apart_from_others(
        self, executor: Executor, who: str
    ) -> None:
        script = f"""
import os, time
entry = os.getppid()
def tell(): os.kill(entry, 15)
{who}
time.sleep(60)
"""
        _, _, end = await self.run(executor, script)
        assert (end.ended_itself, end.told_to_end, end.signal) == (True, False, 15)

    @pytest.mark.parametrize("code", [1, 3, 125, 255])
    async def test_an_exit_code_is_reported_as_it_is(self, executor: Executor, code: int) -> None:
        _, _, end = await self.run(executor, f"raise SystemExit({code})")
        assert (end.exit_code, end.marker_code, end.never_started) == (code, code, False)

    async def test_a_script_that_kills_itself_shows_its_signal(self, executor: Executor) -> None:
        _, _, end = await self.run(executor, "import os; os.kill(os.getpid(), 11)")
        assert (end.exit_code, end.marker_code, end.signal, end.oom_killed) == (139, 139, 11, False)

    async def test_every_byte_survives_on_its_own_stream(self, executor: Executor) -> None:
        blob = bytes(range(256)) * 40 + "Grüße\r\n\n\x1e-no record\n".encode() + b"\xff\xfe" + "ü".encode() * 20_000
        script = (
            "import os, sys\n"
            f"blob = {blob!r}\n"
            "for at in range(0, len(blob), 7001): os.write(1, blob[at:at + 7001])\n"
            "os.write(2, b'x' * 3_000_000 + b'\\n' + b'no end of line')\n"
        )
        out, err, end = await self.run(executor, script)
        assert out == blob
        assert err == b"x" * 3_000_000 + b"\nno end of line"
        assert end.marker_code == 0

    async def test_output_arrives_while_the_script_runs_even_without_an_end_of_line(self, executor: Executor) -> None:
        script = "import sys, time\nsys.stdout.write('10%'); sys.stdout.flush()\ntime.sleep(60)"
        launch = await self.a_launch(executor, script)
        await executor.launch(launch)
        async with asyncio.timeout(20):
            async for frame in executor.frames(launch.ref, skip=0, follow=True):
                assert (frame.stream, frame.data) == ("stdout", b"10%")
                break
        await executor.stop(launch.ref, grace_s=5)
        await executor.remove(launch.ref)

    async def test_output_can_be_read_again_from_any_frame(self, executor: Executor) -> None:
        launch = await self.a_launch(executor, "import os\nfor n in range(500): os.write(1 + n % 2, b'line %d\\n' % n)")
        await executor.launch(launch)
        frames = [frame async for frame in executor.frames(launch.ref, skip=0, follow=True)]
        await executor.wait(launch.ref, launch.nonce)
        half = len(frames) // 2
        assert [frame async for frame in executor.frames(launch.ref, skip=half, follow=False)] == frames[half:]
        assert [frame async for frame in executor.frames(launch.ref, skip=half, follow=True)] == frames[half:]
        await executor.remove(launch.ref)

    async def test_beyond_the_cap_head_and_tail_are_kept_and_the_rest_is_counted(self, executor: Executor) -> None:
        limits = Limits(output_bytes=200_000, pids=64)
        script = "print('first')\nfor n in range(100_000): print('line', n)\nprint('last')"
        out, _, end = await self.run(executor, script, limits=limits)
        assert out.startswith(b"first\nline 0\n")
        assert out.endswith(b"line 99999\nlast\n")
        assert len(out) < 210_000
        assert end.dropped_bytes > 900_000
        assert b"[gap]" in out

    async def test_a_script_that_is_too_slow_is_ended_and_the_marker_says_so(self, executor: Executor) -> None:
        began = time.monotonic()
        out, _, end = await self.run(executor, "import time\nprint('on')\ntime.sleep(600)", timeout_s=3.0)
        assert (out, end.timed_out, end.signal, end.marker_code) == (b"on\n", True, 15, 143)
        assert time.monotonic() - began < 30

    async def test_a_script_that_ignores_sigterm_is_killed_after_the_grace(self, executor: Executor) -> None:
        script = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('on')\ntime.sleep(600)"
        _, _, end = await self.run(executor, script, timeout_s=3.0)
        assert (end.timed_out, end.signal, end.marker_code) == (True, 9, 137)

    async def test_a_stop_reaches_the_script_which_may_clean_up(self, executor: Executor) -> None:
        script = (
            "import signal, sys, time\n"
            "def bye(*_): print('cleaned up'); sys.exit(7)\n"
            "signal.signal(15, bye)\nprint('on')\ntime.sleep(600)"
        )
        launch = await self.a_launch(executor, script)
        await executor.launch(launch)
        async for _ in executor.frames(launch.ref, skip=0, follow=True):
            break
        await executor.stop(launch.ref, grace_s=20)
        end = await executor.wait(launch.ref, launch.nonce)
        assert (await read_all(executor, launch))[0] == b"on\ncleaned up\n"
        assert (end.exit_code, end.marker_code, end.timed_out) == (7, 7, False)
        await executor.remove(launch.ref)

    async def test_a_script_that_cleans_up_is_told_to_end_once_however_often_that_is_asked(
        self, executor: Executor
    ) -> None:
        script = (
            "import signal, sys, time\n"
            "def bye(*_): print('asked', flush=True); time.sleep(1.5); print('cleaned up'); sys.exit(0)\n"
            "signal.signal(15, bye)\nprint('on', flush=True)\ntime.sleep(600)"
        )
        launch = await self.a_launch(executor, script)
        await executor.launch(launch)
        async for _ in executor.frames(launch.ref, skip=0, follow=True):
            break
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(executor.stop(launch.ref, grace_s=60) for _ in range(3)))
            await executor.wait(launch.ref, launch.nonce)
        assert (await read_all(executor, launch))[0] == b"on\nasked\ncleaned up\n"
        await executor.remove(launch.ref)

    async def test_a_stop_ends_a_script_that_ignores_it(self, executor: Executor) -> None:
        script = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('on')\ntime.sleep(600)"
        launch = await self.a_launch(executor, script)
        await executor.launch(launch)
        async for _ in executor.frames(launch.ref, skip=0, follow=True):
            break
        async with asyncio.timeout(30):
            await executor.stop(launch.ref, grace_s=1)
            end = await executor.wait(launch.ref, launch.nonce)
        assert end.exit_code == 137
        await executor.remove(launch.ref)

    async def test_what_a_script_leaves_behind_is_ended_with_it(self, executor: Executor) -> None:
        script = (
            "import subprocess, sys\n"
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
            "print('on')"
        )
        began = time.monotonic()
        out, _, end = await self.run(executor, script)
        assert (out, end.marker_code) == (b"on\n", 0)
        assert time.monotonic() - began < 60

    async def test_the_environment_is_exactly_what_was_given(self, executor: Executor) -> None:
        script = (
            "import os, json\nprint(json.dumps([os.environ['A'], os.getcwd() in os.environ['FASTFLOW_ROUTE_FILE']]))"
        )
        out, _, _ = await self.run(executor, script, env={"A": "ü\n'\"$(x)"})
        assert out.startswith(b'["\\u00fc\\n\'\\"$(x)"')

    async def test_a_script_names_its_route(self, executor: Executor) -> None:
        script = "import os\nopen(os.environ['FASTFLOW_ROUTE_FILE'], 'w').write('  north \\n')"
        _, _, end = await self.run(executor, script)
        assert end.route == "north"

    async def test_a_script_may_write_and_delete_beside_itself(self, executor: Executor) -> None:
        script = "import os, shutil\nopen('new', 'w').write('x')\nfor n in os.listdir('.'): os.path.isdir(n) and shutil.rmtree(n) or os.path.isfile(n) and os.remove(n)\nprint('done')"  # noqa: E501
        out, _, end = await self.run(executor, script)
        assert (out, end.marker_code) == (b"done\n", 0)

    async def test_a_lease_that_ran_out_starts_nothing(self, executor: Executor) -> None:
        launch = await self.a_launch(executor, "print('must not be')", lease_s=-1)
        with pytest.raises(NotAfterError):
            await executor.launch(launch)
        assert await executor.started(launch.ref) is None
        await executor.remove(launch.ref)

    async def test_whoever_launches_twice_launched_once(self, executor: Executor) -> None:
        launch = await self.a_launch(executor, "import time\nprint('once')\ntime.sleep(1)")
        first, second, third = await asyncio.gather(*(executor.launch(launch) for _ in range(3)))
        assert first == second == third == await executor.started(launch.ref)
        out, _ = await read_all(executor, launch)
        await executor.wait(launch.ref, launch.nonce)
        assert out == b"once\n"
        assert await executor.launch(launch) == first
        assert [f.state for f in await executor.found() if f.ref == launch.ref] == ["exited"]
        await executor.remove(launch.ref)
        assert not [f for f in await executor.found() if f.ref == launch.ref]

    async def test_an_attempt_that_is_gone_ended_for_reasons_nobody_knows(self, executor: Executor) -> None:
        launch = await self.a_launch(executor, "print('never launched')")
        end = await executor.wait(launch.ref, launch.nonce)
        assert (end.exit_code, end.marker_code) == (None, None)
        await executor.stop(launch.ref, grace_s=1)
        await executor.remove(launch.ref)
        assert await read_all(executor, launch) == (b"", b"")

    async def test_a_completion_marker_without_the_nonce_proves_nothing(self, executor: Executor) -> None:
        launch = await self.a_launch(executor, "print('x')")
        await executor.launch(launch)
        end = await executor.wait(launch.ref, "another nonce")
        assert end.marker_code is None
        await executor.remove(launch.ref)

    async def test_packages_are_installed_once_and_found_the_second_time(self, executor: Executor) -> None:
        needs = {"requirements": "requests"}
        out, err, end = await self.run(executor, "import requests; print(requests.__name__)", **needs)
        assert (out, err, end.marker_code) == (b"requests\n", b"", 0)
        again = await self.a_launch(executor, "import requests", **needs)
        assert again.prepared.prepare_s == 0
        assert "requests==" in again.prepared.lock
        assert "--hash=sha256:" in again.prepared.lock

    async def test_a_lock_of_an_earlier_build_gives_the_same_environment(self, executor: Executor) -> None:
        specification = a_specification("0" * 40, requirements="requests")
        first = await patiently(executor, specification)
        again = await patiently(executor, a_specification("0" * 40, requirements="requests>1"), first.lock)
        assert (again.environment, again.lock) == (first.environment, first.lock)

    async def test_a_lock_in_the_repository_is_installed_as_it_is(self, executor: Executor) -> None:
        lock = "idna==3.10\n"
        wanted = Requirements(source="requirements_lock", text=lock, sha256=sha256(lock.encode()).hexdigest())
        prepared = await patiently(executor, structs.replace(a_specification("0" * 40), requirements=wanted))
        assert prepared.lock.startswith("idna==3.10 \\\n    --hash=sha256:")

    async def test_a_list_too_long_to_travel_is_read_from_the_code(self, executor: Executor) -> None:
        text = "idna==3.10\n" + "# a word\n" * 5000
        tree, bundle = bundle_of({"main.py": "", "requirements.txt": text})
        await executor.stage_code(tree, bundle)
        wanted = Requirements(source="requirements", sha256=sha256(text.encode()).hexdigest())
        prepared = await patiently(executor, structs.replace(a_specification(tree), requirements=wanted))
        assert prepared.lock.startswith("idna==3.10")

    async def test_a_requirement_that_does_not_exist_is_told_in_the_words_of_uv(self, executor: Executor) -> None:
        specification = a_specification("0" * 40, requirements="no-such-package-of-anybody==9")
        with pytest.raises(DependencyError, match="no-such-package-of-anybody"):
            await patiently(executor, specification)
        with pytest.raises(DependencyError, match="no-such-package-of-anybody"):
            await patiently(executor, specification)
