# ruff: noqa: D102 - the names of tests are sentences
"""What environments are on every executor: one class of tests, inherited by the tests of each."""

import asyncio
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Literal

import pytest
from fastflow_events.aggregates.run.specification import Requirements, Specification
from fastflow_events.errors import InfrastructureError
from msgspec import structs

from fastflow_runner.ports import DependencyError, Executor, VolumeChangedError
from fastflow_runner.testing.builders import a_launch, a_specification
from fastflow_runner.testing.credential_contract import output_of
from fastflow_runner.testing.executor_contract import read_all
from fastflow_runner.testing.git_package import GIT_PACKAGE, git_package
from fastflow_runner.testing.interpreters import WANTED, other_interpreter
from fastflow_runner.testing.patient import patiently
from fastflow_runner.testing.spoiled_contract import SpoiledContract
from fastflow_runner.testing.tools import find_uv

Source = Literal["none", "pep723", "uv_lock", "requirements_lock", "requirements"]
BLOCK = '# /// script\n# requires-python = "{requires}"\n# dependencies = ["{package}"]\n# ///\n'
PROJECT = '[project]\nname = "thing"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["idna==3.10"]\n'
LAZY = """
import pathlib, sys, time
signal = pathlib.Path(sys.prefix).parent / "SIGNAL"
for _ in range(1000):
    if signal.exists():
        time.sleep(0.1)
import idna
print(idna.__version__)
"""
"""Imports what it needs when another environment is gone, a hundred seconds later at the latest."""
IMPORT = "import idna\nprint(idna.__version__)\n"


def lock_of(project: str, folder: Path) -> str:
    """The `uv.lock` of a `pyproject.toml`, as uv writes it on this machine."""
    (folder / "pyproject.toml").write_text(project)
    command = [find_uv(), "lock", "--quiet", "--no-config", "--python", sys.executable]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / "uv.lock").read_text()


def from_source(tree: str, source: Source, text: str, *, python: str = "3.11") -> Specification:
    """A script whose packages are named by `text`."""
    wanted = Requirements(source=source, text=text, sha256=sha256(text.encode()).hexdigest())
    return structs.replace(a_specification(tree), requirements=wanted, python=python)


class EnvironmentContract(SpoiledContract):
    """Needs fixtures `executor` and `other`: two executors of two runners on the same engine."""

    async def test_a_block_in_the_script_names_its_packages(self, executor: Executor) -> None:
        block = BLOCK.format(requires=">=3.11", package="idna<3.11")
        tree = await self.staged(executor, {"main.py": block + IMPORT})
        assert await output_of(executor, from_source(tree, "pep723", block)) == "3.10\n"

    async def test_a_block_too_long_to_travel_is_read_from_the_script(self, executor: Executor) -> None:
        block = (
            BLOCK.format(requires=">=3.11", package="idna==3.10").replace("# ///\n", "# # a word\n" * 2000) + "# ///\n"
        )
        block = "# /// script\n" + block.removeprefix("\n").replace("# /// script\n", "")
        tree = await self.staged(executor, {"main.py": block + IMPORT})
        specification = from_source(tree, "pep723", block)
        wanted = structs.replace(specification.requirements, text="")
        assert await output_of(executor, structs.replace(specification, requirements=wanted)) == "3.10\n"

    async def test_a_block_that_wants_another_python_is_refused_with_both_versions(self, executor: Executor) -> None:
        block = BLOCK.format(requires=">=3.98", package="idna")
        with pytest.raises(DependencyError, match=r"the script wants Python >=3\.98, its pipeline says 3\.11"):
            await executor.prepare(from_source("0" * 40, "pep723", block), None)

    async def test_a_projects_own_lock_is_installed_as_it_is(self, executor: Executor, tmp_path: Path) -> None:
        lock = await asyncio.to_thread(lock_of, PROJECT, tmp_path)
        files = {"main.py": IMPORT, "uv.lock": lock, "pyproject.toml": PROJECT}
        tree = await self.staged(executor, files)
        specification = from_source(tree, "uv_lock", lock)
        prepared = await patiently(executor, specification, None)
        assert '[[packages]]\nname = "idna"\nversion = "3.10"\n' in prepared.lock
        assert await output_of(executor, specification) == "3.10\n"
        assert await output_of(executor, specification, prepared.lock) == "3.10\n"

    async def test_a_lock_that_cannot_be_read_is_told_in_the_words_of_uv(self, executor: Executor) -> None:
        tree = await self.staged(executor, {"main.py": IMPORT, "uv.lock": "junk", "pyproject.toml": PROJECT})
        with pytest.raises(DependencyError, match=r"Failed to parse `uv\.lock`"):
            await executor.prepare(from_source(tree, "uv_lock", "junk"), None)

    async def test_what_cannot_be_resolved_is_told_within_seconds(self, executor: Executor) -> None:
        began = time.monotonic()
        with pytest.raises(DependencyError, match=r"(?s)No solution found.*idna"):
            await patiently(executor, a_specification("0" * 40, requirements="idna==99"))
        assert time.monotonic() - began < 60

    async def test_all_who_wait_for_a_preparation_that_fails_are_told_why(
        self, executor: Executor, other: Executor
    ) -> None:
        specification = a_specification("0" * 40, requirements="idna==98\n")
        asked = [patiently(asker, specification) for asker in (executor, other) * 4]
        async with asyncio.timeout(300):
            failures = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(failure) for failure in failures] == [DependencyError] * len(asked)
        assert all("idna" in str(failure) for failure in failures), failures

    async def test_it_is_built_once_however_many_ask_at_once(self, executor: Executor, other: Executor) -> None:
        specification = a_specification("0" * 40, requirements="charset-normalizer\ncertifi\n")
        asked = [patiently(asker, specification) for asker in (executor, other) * 5]
        async with asyncio.timeout(120):
            prepared = await asyncio.gather(*asked)
        assert len({each.environment for each in prepared}) == 1
        assert sum(each.prepare_s > 0 for each in prepared) == 1

    async def test_a_refreshed_environment_is_resolved_once_more_and_its_lock_holds_as_before(
        self, executor: Executor, other: Executor
    ) -> None:
        tree = await self.staged(executor, {"main.py": IMPORT})
        specification = a_specification(tree, requirements="idna<4  # refreshed\n")
        first = await patiently(executor, specification, None)
        assert first.size_bytes > 10_000
        anew = await patiently(executor, specification, None, generation=1)
        assert anew.prepare_s > 0
        assert (await other.prepare(specification, None, generation=1)).prepare_s == 0
        assert (await other.prepare(specification, anew.lock, generation=1)).environment == anew.environment
        assert (await executor.prepare(specification, None)).prepare_s == 0

    async def test_what_was_killed_half_built_is_never_used(self, executor: Executor) -> None:
        specification = a_specification(
            await self.staged(executor, {"main.py": "import numpy\nprint(numpy.arange(3).sum())\n"}),
            requirements="numpy<3\n",
        )
        async with asyncio.timeout(200):
            building = asyncio.ensure_future(executor.prepare(specification, None))
            await self.kill_in_the_middle()
            with pytest.raises(InfrastructureError):
                await building
            prepared = await patiently(executor, specification, None)
            assert prepared.prepare_s > 0
            assert await output_of(executor, specification) == "3\n"

    async def test_an_environment_is_deleted_when_no_run_is_in_it_and_made_again_when_one_needs_it(
        self, executor: Executor, other: Executor
    ) -> None:
        signal = await patiently(executor, a_specification("0" * 40, requirements="six==1.17.0\ncertifi\n"), None)
        tree = await self.staged(executor, {"main.py": LAZY.replace("SIGNAL", signal.environment)})
        specification = a_specification(tree, requirements="six==1.17.0\nidna==3.10\n")
        prepared = await patiently(executor, specification, None)
        launch = a_launch(specification, prepared)
        async with asyncio.timeout(150):
            await executor.launch(launch)
            freed = await other.delete([prepared.environment, signal.environment])
            assert list(freed) == [signal.environment]
            out, err = await read_all(executor, launch)
            assert (out, err) == (b"3.10\n", b"")
            await executor.wait(launch.ref, launch.nonce)
            await executor.remove(launch.ref)
            freed = await other.delete([prepared.environment])
            assert freed[prepared.environment] > 10_000
            with pytest.raises(VolumeChangedError):
                await executor.launch(a_launch(specification, prepared))
            assert (await patiently(executor, specification, prepared.lock)).environment == prepared.environment
            assert await output_of(executor, specification, prepared.lock) == "3.10\n"

    async def test_code_that_is_deleted_is_missed_and_never_taken_for_a_script_without_packages(
        self, executor: Executor
    ) -> None:
        one, other = (BLOCK.format(requires=">=3.11", package=package) for package in ("idna==3.10", "idna==3.9"))
        ready = from_source(await self.staged(executor, {"main.py": one + IMPORT}), "pep723", one)
        prepared = await patiently(executor, ready, None)
        unread = from_source(await self.staged(executor, {"main.py": other + IMPORT}), "pep723", other)
        unread = structs.replace(unread, requirements=structs.replace(unread.requirements, text=""))
        async with asyncio.timeout(150):
            await executor.delete_code([ready.tree, unread.tree, "f" * 40])
            with pytest.raises(VolumeChangedError):
                await executor.launch(a_launch(ready, prepared))
            with pytest.raises(VolumeChangedError):
                await executor.prepare(unread, None)
            assert not await executor.has_code(unread.tree)
            await self.staged(executor, {"main.py": other + IMPORT})
            assert await output_of(executor, unread) == "3.9\n"

    async def test_what_comes_as_sources_only_is_built_and_locked(self, executor: Executor, other: Executor) -> None:
        tree = await self.staged(executor, {"main.py": "import docopt\nprint(docopt.__version__)\n"})
        specification = a_specification(tree, requirements="docopt==0.6.2\n")
        assert await output_of(executor, specification) == "0.6.2\n"
        prepared = await patiently(executor, specification, None)
        assert prepared.lock.startswith("docopt==0.6.2 \\\n    --hash=sha256:49b3a825")
        assert prepared.prepare_s == 0
        again = await patiently(other, specification, prepared.lock)
        assert again.environment == prepared.environment

    async def test_a_package_in_a_git_repository_is_built_at_the_commit_it_had(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        with git_package(tmp_path, self.index_host()) as (url, commit):
            script = f"import {GIT_PACKAGE}\nprint({GIT_PACKAGE}.WORD)\n"
            tree = await self.staged(executor, {"main.py": script})
            specification = a_specification(tree, requirements=f"{GIT_PACKAGE} @ git+{url}\n")
            prepared = await patiently(executor, specification, None)
            assert prepared.lock.strip().endswith(f"@{commit}")
            assert await output_of(executor, specification) == "from git\n"

    async def test_sources_that_cannot_be_built_are_told_in_the_words_of_uv(self, executor: Executor) -> None:
        line = "nothing @ git+https://127.0.0.1:1/nothing.git\n"
        with pytest.raises((DependencyError, InfrastructureError), match="nothing"):
            await executor.prepare(a_specification("0" * 40, requirements=line), None)

    async def test_a_script_may_install_for_itself_into_a_cache_of_its_pipelines_own(self, executor: Executor) -> None:
        script = (
            "import idna, os, subprocess, sys\n"
            "subprocess.run(['uv', 'pip', 'install', '-q', '--python', sys.executable, 'six==1.17.0'], check=True)\n"
            "import six\nprint(idna.__version__, six.__version__, sys.argv, os.path.isdir(os.getenv('UV_CACHE_DIR')))\n"
        )
        files = {"main.py": script, "requirements.txt": "-r more.txt\n", "more.txt": "idna==3.10\n"}
        specification = a_specification(await self.staged(executor, files), requirements="idna==3.10\n")
        specification = structs.replace(specification, isolation="jit")
        for _ in range(2):
            lines = (await output_of(executor, specification)).splitlines()
            assert lines[0] == "3.10 1.17.0 ['main.py'] True", lines

    async def test_a_pipeline_has_the_python_it_names_and_another_environment_with_it(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        source = other_interpreter()
        if source is None:
            pytest.skip("no second interpreter to copy; type: pyenv install 3.12")
        tree = await self.staged(executor, {"main.py": "import idna, sys\nprint(sys.version_info[:2])\n"})
        specification = a_specification(tree, requirements="idna==3.10\n")
        await self.bring(source, tmp_path)
        other = structs.replace(specification, python=WANTED)
        assert await output_of(executor, other) == "(3, 12)\n"
        assert await output_of(executor, specification) == "(3, 11)\n"
        first, second = [await executor.prepare(each, None) for each in (specification, other)]
        assert first.environment != second.environment
        block = BLOCK.format(requires=">=3.12", package="idna==3.10")
        assert await output_of(executor, from_source(tree, "pep723", block, python=">=3.12")) == "(3, 12)\n"

    async def test_a_python_that_does_not_exist_is_told_at_once(self, executor: Executor) -> None:
        specification = structs.replace(a_specification("0" * 40, requirements="idna\n"), python="3.99")
        with pytest.raises(DependencyError, match=r"3\.99"):
            await executor.prepare(specification, None)

    async def bring(self, source: Path, folder: Path) -> None:
        """Lay an interpreter where uv keeps those it has installed."""
        raise NotImplementedError

    async def kill_in_the_middle(self) -> None:
        """`kill -9` what builds an environment, as soon as a part of it is there."""
        raise NotImplementedError
