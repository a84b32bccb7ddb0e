# ruff: noqa: D102 - the names of tests are sentences
"""What becomes of code and environments that somebody has changed, on every executor; part of the contract of both."""

import asyncio

import pytest
from fastflow_events.aggregates.run.specification import Specification

from fastflow_runner.ports import Executor, VolumeChangedError
from fastflow_runner.testing.builders import a_specification
from fastflow_runner.testing.credential_contract import output_of
from fastflow_runner.testing.hostile_contract import HostileContract
from fastflow_runner.testing.patient import patiently

WORD = "poisoned"
SCRIPT = """
import idna, subprocess, sys
print("clean", idna.__version__, subprocess.run([f"{sys.prefix}/bin/normalizer", "--version"]).returncode, flush=True)
"""
_WRITE = "path.write_text({text!r})\n"
_SITE = "path = next(tree.glob('lib/python*/site-packages'))"
_SAY = f"import sys; sys.stderr.write('{WORD}')\n"
_COMPILED = f"""
import importlib.util, marshal
source = path / 'idna/__init__.py'
cached = pathlib.Path(importlib.util.cache_from_source(source))
code = compile(source.read_text() + {_SAY!r}, str(source), 'exec')
cached.write_bytes(cached.read_bytes()[:16] + marshal.dumps(code))
"""
_WRAPPED = f"""
path = tree / 'bin/python'
real = path.resolve()
path.unlink()
path.write_text(f'#!/bin/sh\\necho {WORD}\\nexec {{real}} "$@"\\n')
path.chmod(0o755)
"""
OF_ENVIRONMENTS = {
    "pth": f"{_SITE} / 'zzz.pth'\n{_WRITE.format(text=_SAY)}",
    "sitecustomize": f"{_SITE} / 'sitecustomize.py'\n{_WRITE.format(text=_SAY)}",
    "module": f"{_SITE} / 'idna/core.py'\npath.write_text(path.read_text() + {_SAY!r})\n",
    "bytecode": f"{_SITE}\n{_COMPILED}",
    "entry point": f"path = tree / 'bin/normalizer'\n{_WRITE.format(text=f'#!/bin/sh{chr(10)}echo {WORD}{chr(10)}')}",
    "interpreter": _WRAPPED,
    "settings": "path = tree / 'pyvenv.cfg'\npath.write_text(path.read_text().replace('home = ', 'home = /tmp'))\n",
}
OF_CODE = {
    "script": f"path = tree / 'main.py'\npath.write_text({_SAY!r} + path.read_text())\n",
    "shadow": f"path = tree / 'idna.py'\n{_WRITE.format(text=_SAY)}",
}
_KEEPING = """
before = {each: each.lstat() for each in tree.rglob('*')}
EXECUTED
for each, was in before.items():
    if each.exists() and not each.is_symlink():
        each.chmod(was.st_mode & 0o7777)
        os.utime(each, ns=(was.st_atime_ns, was.st_mtime_ns))
"""
_UNSEEN = f"""
path = tree / 'main.py'
text = path.read_text()
path.write_text(text.replace('clean', '{WORD[:5]}'))
"""


class SpoiledContract(HostileContract):
    """Needs a fixture `executor`; `with_settings` gives one that begins to live then."""

    async def ready(self, executor: Executor, word: str) -> Specification:
        """A script with packages, staged and prepared."""
        tree = await self.staged(executor, {"main.py": f"# {word}{SCRIPT}"})
        specification = a_specification(tree, requirements="idna==3.10\ncharset-normalizer\n")
        await patiently(executor, specification)
        return specification

    async def after(self, executor: Executor, specification: Specification, word: str) -> str:
        """What the script says; it is made ready again, as a run does, where that has to be."""
        for _ in range(3):
            await self.staged(executor, {"main.py": f"# {word}{SCRIPT}"})
            try:
                return await output_of(executor, specification)
            except VolumeChangedError:
                continue
        raise AssertionError("it is never made ready")

    @pytest.mark.parametrize("attack", OF_ENVIRONMENTS)
    async def test_an_environment_that_was_changed_is_executed_by_nobody_and_made_again(
        self, executor: Executor, attack: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        specification = await self.ready(executor, attack)
        prepared = await patiently(executor, specification)
        tree = f"{self.shared()}/envs/{prepared.environment}"
        await self.as_root(f"tree = pathlib.Path({tree!r})\n{OF_ENVIRONMENTS[attack]}")
        output = await self.after(self.with_settings({}), specification, attack)
        assert "clean 3.10 0" in output.splitlines(), output
        assert WORD not in output
        assert [record for record in caplog.records if getattr(record, "action", "") == "tree_changed"]

    @pytest.mark.parametrize("attack", OF_CODE)
    async def test_code_that_was_changed_is_executed_by_nobody_and_made_again(
        self, executor: Executor, attack: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        specification = await self.ready(executor, attack)
        for tree in await self.changed_code(attack, OF_CODE[attack]):
            output = await self.after(self.with_settings({}), specification, attack)
            assert "clean 3.10 0" in output.splitlines(), output
            assert WORD not in output
            assert tree in caplog.text

    async def changed_code(self, word: str, attack: str) -> list[str]:
        """Folders of the staged code that holds the word, after the attack on each."""
        found = (
            f"folders = [each.parent for each in pathlib.Path({self.codes()!r}).glob('*/main.py')\n"
            f"           if '# {word}' in each.read_text() and '.' not in each.parent.name]\n"
        )
        each = "".join(f"    {line}\n" for line in attack.splitlines())
        output = await self.as_root(f"import os\n{found}for tree in folders:\n    print(tree)\n{each}")
        return output.split()

    async def test_whoever_looks_at_every_byte_finds_what_hides_behind_size_and_time(
        self, executor: Executor, caplog: pytest.LogCaptureFixture
    ) -> None:
        specification = await self.ready(executor, "hidden")
        clean = await executor.verify()
        assert not clean.changed
        assert clean.trees >= 2
        (tree,) = await self.changed_code("hidden", _KEEPING.replace("EXECUTED", _UNSEEN))
        found = await executor.verify()
        assert found.changed == {tree: ("main.py has other content",)}
        assert tree in caplog.text
        assert not (await executor.verify()).changed
        assert "clean" in await self.after(executor, specification, "hidden")

    async def test_what_is_looked_at_may_be_one_of_them(self, executor: Executor) -> None:
        prepared = await patiently(executor, await self.ready(executor, "one"))
        found = await executor.verify(prepared.environment)
        assert (found.trees, found.wheels, found.changed) == (1, 0, {})

    async def test_several_first_runs_look_at_the_same_environment_at_once(self, executor: Executor) -> None:
        specification = await self.ready(executor, "several")
        fresh = self.with_settings({})
        await self.staged(fresh, {"main.py": f"# several{SCRIPT}"})
        async with asyncio.timeout(120):
            output = await asyncio.gather(*(output_of(fresh, specification) for _ in range(3)))
        assert all("clean 3.10 0" in each.splitlines() for each in output)

    def codes(self) -> str:
        """Folder of all code, as whatever makes it sees it."""
        raise NotImplementedError

    async def as_root(self, script: str) -> str:
        """Execute a Python script that may write where environments and code are; what it prints."""
        raise NotImplementedError
