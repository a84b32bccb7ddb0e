# ruff: noqa: D102 - the names of tests are sentences
"""What attempts leave behind and what they use, on every executor alike."""

import asyncio
from collections import defaultdict

from fastflow_events.aggregates.run.specification import Limits
from msgspec.structs import replace

from fastflow_runner.core.usage import Usage
from fastflow_runner.ports import Executor, Exit, Keep, Launch
from fastflow_runner.testing.executor_contract import WITHIN_S, ExecutorContract, eventually

SEVERAL = """
import os, pathlib
folder = pathlib.Path(os.environ["FASTFLOW_ARTIFACTS_DIR"])
(folder / "sub").mkdir()
(folder / "sub" / "report ü.html").write_bytes(bytes(range(256)) * 1000)
(folder / "empty").touch()
(folder / "link").symlink_to("/etc/passwd")
os.mkfifo(folder / "pipe")
pathlib.Path("out").mkdir()
for name in ("out/a.csv", "out/b.csv", "c.txt"):
    pathlib.Path(name).write_text(name)
"""


class LeavingContract:
    """Needs a fixture `executor`."""

    async def ended(self, executor: Executor, script: str, **changes: object) -> tuple[Launch, Exit]:
        """An attempt that has ended and is not removed."""
        needs = {"limits": changes.pop("limits")} if "limits" in changes else {}
        launch = await ExecutorContract().a_launch(executor, script, **needs)
        if (patterns := changes.pop("artifacts", None)) is not None:
            launch = replace(launch, specification=replace(launch.specification, artifacts=patterns))
        launch = replace(launch, **changes)
        async with asyncio.timeout(WITHIN_S):
            await executor.launch(launch)
            return launch, await executor.wait(launch.ref, launch.nonce)

    async def contents(self, executor: Executor, launch: Launch, end: Exit) -> dict[str, bytes]:
        """Artifacts by their paths."""
        found: dict[int, bytes] = defaultdict(bytes)
        async for number, data in executor.kept(launch.ref):
            found[number] += data
        await executor.remove(launch.ref)
        assert [len(found[n]) for n in range(len(end.kept))] == [size for _, size in end.kept]
        return {path: found[n] for n, (path, _) in enumerate(end.kept)}

    async def test_files_in_the_artifacts_folder_are_kept_byte_by_byte_and_nothing_else(
        self, executor: Executor
    ) -> None:
        launch, end = await self.ended(executor, SEVERAL)
        assert await self.contents(executor, launch, end) == {
            "empty": b"",
            "sub/report ü.html": bytes(range(256)) * 1000,
        }
        assert end.left == (("link", "it is no regular file"), ("pipe", "it is no regular file"))

    async def test_files_of_the_working_folder_are_kept_when_a_pattern_names_them(self, executor: Executor) -> None:
        patterns = ("out/*.csv", "**/c.txt", "../*", "/etc/*", ".fastflow/*")
        launch, end = await self.ended(executor, SEVERAL, artifacts=patterns)
        assert sorted(await self.contents(executor, launch, end)) == [
            "c.txt", "empty", "out/a.csv", "out/b.csv", "sub/report ü.html",
        ]  # fmt: skip

    async def test_a_link_leads_nowhere_whatever_a_pattern_says(self, executor: Executor) -> None:
        """Neither out of the folder nor to another place in it; what the script itself can read it can copy."""
        script = (
            "import os, pathlib\n"
            "pathlib.Path('out').mkdir()\n"
            "pathlib.Path('out/a.txt').write_text('a')\n"
            "os.symlink('/etc', 'out/etc')\n"
            "os.symlink('.', 'out/round')\n"
            "os.symlink('/etc/passwd', 'passwd.txt')\n"
            "folder = os.environ['FASTFLOW_ARTIFACTS_DIR']\n"
            "os.rmdir(folder)\n"
            "os.symlink('/etc', folder)\n"
        )
        _, end = await self.ended(executor, script, artifacts=("**/*", "out/etc/passwd", "out/*/passwd"))
        kept = {path for path, _ in end.kept}
        assert "out/a.txt" in kept
        assert not [path for path in kept if "etc" in path or "round" in path or "passwd" in path]
        assert "the script made a link of it" in {why for _, why in end.left}

    async def test_what_is_too_much_is_not_kept_and_told(self, executor: Executor) -> None:
        script = """
import os
folder = os.environ["FASTFLOW_ARTIFACTS_DIR"]
for name, size in (("a", 90), ("b", 101), ("c", 90), ("d", 90), ("e", 1), ("f", 1), ("g", 1)):
    open(f"{folder}/{name}", "wb").write(b"x" * size)
open(folder + "/" + "n" * 255, "w")
"""
        keep = Keep(count=4, file_bytes=100, total_bytes=200)
        launch, end = await self.ended(executor, script, keep=keep)
        assert list(await self.contents(executor, launch, end)) == ["a", "c", "e", "f"]
        reasons = dict(end.left)
        assert "101 bytes" in reasons["b"]
        assert "together" in reasons["d"]
        assert "more than 4" in reasons["g"]

    async def test_every_name_of_a_file_is_kept(self, executor: Executor) -> None:
        script = """
import os
folder = os.environ["FASTFLOW_ARTIFACTS_DIR"]
open("model-7", "w").write("weights")
for name in ("model-7", "latest", "best"):
    os.link("model-7", f"{folder}/{name}")
"""
        launch, end = await self.ended(executor, script, artifacts=("model-*",))
        assert await self.contents(executor, launch, end) == dict.fromkeys(("best", "latest", "model-7"), b"weights")
        assert end.left == ()

    async def test_files_are_kept_whatever_their_folders_and_they_may_be_used_for(self, executor: Executor) -> None:
        script = """
import os
folder = os.environ["FASTFLOW_ARTIFACTS_DIR"]
for mode in (0o000, 0o100, 0o200, 0o400, 0o500):
    os.makedirs(f"{folder}/{mode:03o}/sub")
    os.makedirs(f"out/{mode:03o}")
    for path in (f"{folder}/{mode:03o}/a", f"{folder}/{mode:03o}/sub/b", f"out/{mode:03o}/c"):
        open(path, "w").write(path[-1])
        os.chmod(path, mode)
    for path in (f"{folder}/{mode:03o}/sub", f"{folder}/{mode:03o}", f"out/{mode:03o}"):
        os.chmod(path, mode)
os.chmod("out", 0)
os.chmod(folder, 0)
"""
        launch, end = await self.ended(executor, script, artifacts=("out/**/c",))
        wanted = [f"{mode}/{name}" for mode in ("000", "100", "200", "400", "500") for name in ("a", "sub/b")]
        wanted += [f"out/{mode}/c" for mode in ("000", "100", "200", "400", "500")]
        assert await self.contents(executor, launch, end) == {path: path[-1].encode() for path in wanted}
        assert end.left == ()

    async def test_a_name_that_is_no_text_is_told_as_such(self, executor: Executor) -> None:
        script = """
import os
folder = os.environ["FASTFLOW_ARTIFACTS_DIR"].encode()
os.mkdir(folder + b"/sub\\xfe")
for name in (b"caf\\xe9.txt", b"sub\\xfe/inside", "café.txt".encode()):
    open(folder + b"/" + name, "w").write("x")
"""
        launch, end = await self.ended(executor, script)
        assert await self.contents(executor, launch, end) == {"café.txt": b"x"}
        why = "its name is not UTF-8"
        assert sorted(end.left) == [("caf\\xe9.txt", why), ("sub\\xfe/inside", why)]

    async def test_artifacts_of_a_script_that_failed_are_kept_too(self, executor: Executor) -> None:
        script = (
            "import os\nopen(os.environ['FASTFLOW_ARTIFACTS_DIR'] + '/trace', 'w').write('why')\nraise SystemExit(3)"
        )
        launch, end = await self.ended(executor, script)
        assert (end.marker_code, await self.contents(executor, launch, end)) == (3, {"trace": b"why"})

    async def test_an_attempt_without_artifacts_has_none(self, executor: Executor) -> None:
        launch, end = await self.ended(executor, "print('none')")
        assert (end.kept, await self.contents(executor, launch, end)) == ((), {})

    async def test_a_script_that_takes_the_folders_away_still_ends_right(self, executor: Executor) -> None:
        script = """
import os, shutil
state = os.path.dirname(os.environ["FASTFLOW_RESULT_FILE"])
shutil.rmtree(state)
open(state, "w").write("in the way")
print("done")
"""
        launch, end = await self.ended(executor, script)
        assert (end.marker_code, end.kept, end.result) == (0, (), None)
        await executor.remove(launch.ref)

    async def test_a_result_is_what_the_script_wrote(self, executor: Executor) -> None:
        script = "import os\nopen(os.environ['FASTFLOW_RESULT_FILE'], 'w').write('{\"rows\": 3}')"
        launch, end = await self.ended(executor, script)
        assert (end.result, end.result_error) == ('{"rows": 3}', "")
        await executor.remove(launch.ref)

    async def test_a_result_that_is_too_large_or_no_file_is_told(self, executor: Executor) -> None:
        for wrong, words in (("open(path, 'w').write('x' * 40_000)", "larger"), ("os.mkfifo(path)", "no readable")):
            script = f"import os\npath = os.environ['FASTFLOW_RESULT_FILE']\n{wrong}"
            launch, end = await self.ended(executor, script)
            assert end.result is None
            assert words in end.result_error
            await executor.remove(launch.ref)

    async def test_a_route_that_is_too_long_is_told(self, executor: Executor) -> None:
        script = "import os\nopen(os.environ['FASTFLOW_ROUTE_FILE'], 'w').write('x' * 1025)"
        launch, end = await self.ended(executor, script)
        assert (end.route, end.left) == (None, (("the route", "it is larger than 1024 bytes"),))
        await executor.remove(launch.ref)

    async def test_a_large_result_and_many_artifacts_reach_the_runner_whole(self, executor: Executor) -> None:
        script = """
import os
open(os.environ["FASTFLOW_RESULT_FILE"], "w").write('{"a": "' + "x" * 32_000 + '"}')
for n in range(200):
    open(os.environ["FASTFLOW_ARTIFACTS_DIR"] + f"/{n:0200}", "w").write(str(n))
print("last line")
"""
        launch, end = await self.ended(executor, script)
        assert end.marker_code == 0
        assert end.result is not None
        assert len(end.result) == 32_009
        frames = [frame async for frame in executor.frames(launch.ref, skip=0, follow=False)]
        assert b"".join(frame.data for frame in frames) == b"last line\n"
        found = await self.contents(executor, launch, end)
        assert found == {f"{n:0200}": str(n).encode() for n in range(200)}

    async def test_what_an_attempt_uses_is_seen_while_it_runs(self, executor: Executor) -> None:
        script = """
import time
block = bytearray(b"x") * (80 << 20)
print("on", flush=True)
while True: sum(range(100_000))
"""
        launch = await ExecutorContract().a_launch(executor, script, limits=Limits(memory_bytes=256 << 20, pids=64))
        await executor.launch(launch)
        seen: list[Usage] = []

        async def watch() -> None:
            async for usage in executor.usages(launch.ref):
                seen.append(usage)  # noqa: PERF401 - the others look while this goes on

        watching = asyncio.create_task(watch())

        async def busy() -> bool:
            return len(seen) >= 3 and seen[-1].cpu_s - seen[0].cpu_s > 0.2

        await eventually(busy, within_s=30)
        assert 75 << 20 < seen[-1].memory_bytes < 150 << 20
        await executor.stop(launch.ref, grace_s=1)
        async with asyncio.timeout(20):
            await watching
        await executor.remove(launch.ref)
