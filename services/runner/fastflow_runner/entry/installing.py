"""Packages resolved to a lock, and a lock installed into an environment; nothing of them is executed."""

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from hashlib import sha256

from fastflow_runner.entry.requirements_text import has_packages
from fastflow_runner.entry.uv import NeedsBuildError, OutageError, RefusedError, Uv
from fastflow_runner.entry.wanted import Wanted, needs_building

_LOCK = ("--generate-hashes", "--no-header", "--no-annotate", "--quiet")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BUILDING = re.compile(r"--no-build|building (source distributions |from source )?is disabled", re.IGNORECASE)


def resolve(uv: Uv, python: str, asked: Wanted, *, build: bool = False) -> str:
    """The lock of what is asked for; with `build` sources may be built, which executes them.

    Raises:
        NeedsBuildError: something has no wheel for this platform.
        RefusedError: there is no answer.
        OutageError: a package index does not answer.
    """
    if asked.locked:
        return asked.text
    text = asked.more if asked.script else asked.text + asked.extra
    if not asked.script and not has_packages(text):
        return ""
    if not build and needs_building(asked.script or asked.text):
        raise NeedsBuildError("packages are named by their sources")
    options = (*_LOCK, *(() if build else ("--no-build",)), "--python", python)
    with tempfile.TemporaryDirectory() as folder:
        files = ["-"]
        if asked.script:
            files = [f"{folder}/main.py", "-"]
            with open(files[0], "w", encoding="utf-8") as file:  # noqa: PTH123 - os calls throughout
                file.write(asked.script)
        return _refusing(uv, "pip", "compile", *files, *options, text=text)


def install(uv: Uv, base: str, target: str, lock: str, *, where: str = "", built: Sequence[str] = ()) -> None:
    """Make the environment at `target` complete, or not at all; `built` are wheels that stand for sources in the lock.

    Raises:
        NeedsBuildError: something has no wheel for this platform, and none was built.
        RefusedError: the lock cannot be installed.
        OutageError: a package index does not answer, or the disk is full.
    """
    if needs_building(lock) and not built:
        raise NeedsBuildError("packages of the lock are named by their sources")
    temporary = f"{target}.{os.urandom(8).hex()}"
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
    try:
        # Relocatable: it is built aside and then renamed.
        uv("venv", "--quiet", "--no-project", "--relocatable", "--python", base, temporary)
        options = ("--require-hashes", "--no-build", "--compile-bytecode", "--quiet")
        text = where + with_built(lock, built)
        _refusing(uv, "pip", "sync", *options, "--python", f"{temporary}/bin/python", "-", text=text)
        os.rename(temporary, target)  # noqa: PTH104
    except OSError as error:
        # Somebody else with the same packages was faster; their folder is as good.
        if not os.path.isdir(target):  # noqa: PTH112
            raise OutageError(f"the environment cannot be written: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def with_built(lock: str, built: Sequence[str]) -> str:
    """The lock, with each package that was built named by its wheel and that wheel's hash."""
    wheels = {_normal(os.path.basename(path).partition("-")[0]): path for path in built}  # noqa: PTH119
    kept: list[str] = []
    dropping = False
    for line in lock.splitlines():
        if not line.startswith((" ", "\t")):
            name = _NAME.match(line)
            path = wheels.get(_normal(name[0])) if name else None
            dropping = path is not None
            if path is not None:
                with open(path, "rb") as file:  # noqa: PTH123
                    digest = sha256(file.read()).hexdigest()
                marker = line.partition(" ; ")[2].rstrip(" \\")
                package = f"{name[0] if name else ''} @ file://{path}{f' ; {marker}' if marker else ''}"
                kept.append(f"{package} --hash=sha256:{digest}")
        if not dropping:
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _refusing(uv: Uv, *arguments: str, text: str) -> str:
    try:
        return uv(*arguments, text=text)
    except RefusedError as error:
        if "--no-build" in arguments and _BUILDING.search(str(error)):
            raise NeedsBuildError(str(error)) from error
        raise
