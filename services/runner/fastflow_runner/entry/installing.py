"""Packages resolved to a lock, and a lock installed into an environment; nothing of them is executed."""

import glob
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence

from fastflow_runner.entry.adopting import adopted
from fastflow_runner.entry.bytecode import share, uncompiled
from fastflow_runner.entry.folder import read, shown
from fastflow_runner.entry.linking import linked
from fastflow_runner.entry.locks import is_pylock, placed, portable, with_built
from fastflow_runner.entry.manifest import UNREAD, Entry, hashes, write
from fastflow_runner.entry.requirements_text import has_packages
from fastflow_runner.entry.store import hold
from fastflow_runner.entry.uv import NeedsBuildError, OutageError, RefusedError, Uv
from fastflow_runner.entry.wanted import NOTHING, Wanted, needs_building

_HASHED = ("--generate-hashes",)
_FILED = ("--format", "pylock.toml")
_PLAIN = ("--no-header", "--no-annotate")
_EXPORT = ("--frozen", "--no-editable", *_FILED, "--no-header", "--quiet")
_BUILDING = re.compile(
    r"--no-build|building (source distributions |from source )?(for `[^`]*` )?is disabled", re.IGNORECASE
)


def resolve(uv: Uv, python: str, asked: Wanted, folder: str, *, build: bool = False) -> str:
    """The lock of what is asked for; with `build` sources may be built, which executes them.

    Raises:
        NeedsBuildError: something has no wheel for this platform.
        RefusedError: there is no answer.
        OutageError: a package index does not answer.
    """
    if asked.locked:
        return asked.text
    if asked.lock_of:
        return _exported(uv, python, asked, folder, build=build)
    text = asked.more if asked.script or asked.project else asked.text + asked.extra
    if not asked.script and not asked.project and not has_packages(text):
        return ""
    if not build and needs_building(asked.script or asked.text):
        raise NeedsBuildError("packages are named by their sources")
    # What is wrong with settings is a warning, and no word of it is heard from a quiet one.
    options = (*_PLAIN, *(_FILED if asked.is_filed else _HASHED), *(() if asked.heeding else ("--quiet",)))
    options += () if build else ("--no-build",)
    with shown(folder if asked.leans else "", asked.files) as here:
        files = [*asked.files, "-"]
        printed = _refusing(
            uv, "pip", "compile", *files, *options, "--python", python, text=text, folder=here, heeding=asked.heeding
        )
        return portable(printed, here, folder)


def _exported(uv: Uv, python: str, asked: Wanted, folder: str, *, build: bool) -> str:
    """What a lock in the folder says, as `uv run` installs it, but for nothing being editable."""
    names = ("main.py", "main.py.lock") if asked.lock_of == "script" else ("pyproject.toml", "uv.lock")
    ours = {name: text for name in names if (text := read(folder, name)) is not None}
    of_script = ("--script", "main.py") if asked.lock_of == "script" else ()
    with shown(folder, ours) as here:
        if extra := asked.extra.split():
            # A lock does not have them: they are added to it, and what it has stays.
            _refusing(uv, "add", "--frozen", "--no-workspace", "--quiet", "--python", python, *extra, folder=here)
            options = ("--quiet", *(() if build else ("--no-build",)), "--python", python)
            _refusing(uv, "lock", *options, folder=here, heeding=True)
        printed = _refusing(uv, "export", *of_script, *_EXPORT, "--python", python, folder=here)
        return portable(printed, here, folder)


def is_nothing(asked: Wanted) -> bool:
    """True when no packages are asked for."""
    return not (asked.lock_of or asked.script or asked.project or has_packages(asked.text + asked.extra))


def listed(uv: Uv, python: str, text: str, here: str, *, build: bool) -> str:
    """The `pylock.toml` of requirements that are pinned: where the files are that fit, and their hashes."""
    options = ("--no-deps", "--no-header", "--quiet", "--format", "pylock.toml", "--python", python)
    building = () if build else ("--no-build",)
    return _refusing(uv, "pip", "compile", "-", *options, *building, text=text, folder=here)


def install(
    uv: Uv,
    base: str,
    target: str,
    lock: str,
    folder: str,
    *,
    key: bytes,
    findings: list[str],
    where: str = "",
    built: Sequence[str] = (),
    held: Sequence[str] | None = None,
) -> str:
    """Make the environment at `target` complete, or not at all; hash of its manifest, which is sealed with the key.

    `built` are wheels that stand for packages of the lock. With `held` these are all there are: nothing is looked for
    elsewhere, and the environment holds those named. What was found to be changed is in `findings`.

    Raises:
        NeedsBuildError: something has no wheel for this platform, and none was built.
        RefusedError: the lock cannot be installed.
        OutageError: a package index does not answer, or the disk is full.
    """
    if held is None and not is_pylock(lock) and needs_building(lock) and not built:
        raise NeedsBuildError("packages of the lock are named by their sources")
    temporary = f"{target}.{os.urandom(8).hex()}"
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120

    def filled(uv: Uv) -> dict[str, str]:
        # Relocatable: it is built aside and then renamed.
        uv("venv", "--quiet", "--no-project", "--relocatable", "--clear", "--python", base, temporary)
        os.chmod(temporary, 0o700)  # noqa: PTH101 - uv leaves files that everybody may write to, until it is complete
        empty = hashes(temporary) if held is not None else {}
        # uv asks the interpreter while nothing but itself is in there. It must not be started afterwards, which uv
        # would do to compile.
        options = ("--no-build", "--no-compile-bytecode", "--python", f"{temporary}/bin/python")
        sync(uv, with_built(lock, built), folder, *options, "--require-hashes", where=where if held is None else "")
        return empty

    def compiled(known: Iterable[str]) -> None:
        for packages in glob.glob(f"{temporary}/lib/*/site-packages"):  # noqa: PTH207
            below = packages.removeprefix(f"{temporary}/")
            tops = uncompiled(below, known)
            for top in tops:
                is_folder = os.path.isdir(f"{packages}/{top}")  # noqa: PTH112
                known_as = f"{target}/{below}/{top}".rstrip("/") if is_folder else f"{target}/{below}"
                uv.compile(base, f"{packages}/{top}", known_as)
            if tops:
                share(f"{uv.cache}/archive-v0", packages)

    try:
        known: Mapping[str, Entry] = UNREAD
        if held is None:
            filled(uv)
            compiled(known)
        else:
            known = linked(uv, temporary, filled, compiled, wheels=built, held=held, key=key, findings=findings)
            unnamed_places(temporary)
            hold(held, temporary)
        digest = write(temporary, key, name=os.path.basename(target), known=known)  # noqa: PTH119
        os.rename(temporary, target)  # noqa: PTH104
    except OSError as error:
        # Somebody else with the same packages was faster; their folder is as good, if it is what they have made.
        digest = adopted(target, key, findings)
        if not digest:
            raise OutageError(f"the environment cannot be written: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return digest


def unnamed_places(environment: str) -> None:
    """Let packages not say that they are from the store: that is no address of theirs."""
    for path in glob.glob(f"{environment}/lib/*/site-packages/*.dist-info/direct_url.json"):  # noqa: PTH207
        os.unlink(path)  # noqa: PTH108
        record = f"{os.path.dirname(path)}/RECORD"  # noqa: PTH120
        with open(record, encoding="utf-8") as file:  # noqa: PTH123
            lines = [line for line in file if "/direct_url.json," not in line]
        with open(f"{record}.new", "w", encoding="utf-8") as file:  # noqa: PTH123
            file.writelines(lines)
        os.replace(f"{record}.new", record)  # noqa: PTH105


def sync(
    uv: Uv, lock: str, folder: str, *options: str, where: str = "", asked: Wanted = NOTHING, heeding: bool = False
) -> None:
    """Install a lock of either kind.

    Settings that the pipeline says are heeded only where nothing else can be reached: they may name a place to
    install to.
    """
    filed = is_pylock(lock)
    ours = {**asked.files, **({"pylock.toml": ""} if filed else {})}
    with shown(folder, ours) as here:
        if filed:
            with open(f"{here}/pylock.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
                file.write(placed(lock, here))
        text = "" if filed else where + placed(lock, here)
        source = "pylock.toml" if filed else "-"
        _refusing(uv, "pip", "sync", "--quiet", *options, source, text=text, folder=here, heeding=heeding)


def _refusing(uv: Uv, *arguments: str, text: str = "", folder: str | None = None, heeding: bool = False) -> str:
    try:
        return uv(*arguments, text=text, folder=folder, heeding=heeding)
    except RefusedError as error:
        if "--no-build" in arguments and _BUILDING.search(str(error)):
            raise NeedsBuildError(str(error)) from error
        raise
