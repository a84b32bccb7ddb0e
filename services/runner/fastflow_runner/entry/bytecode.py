"""Byte code shared like what it is made of: compiled for the first environment, linked into all others.

uv links into an environment whatever lies in the folder of an unpacked wheel, so that is where the byte code is laid.
What was compiled is written down beside the wheel in the store, under a seal: nothing else is taken for it later.
"""

import glob
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256

from fastflow_runner.entry.comparing import CACHE, Contents

RECORD = ".bytecode"
"""Name of what was compiled, beside a wheel in the store."""
_FEW = 4
"""Compiled one by one; more of them are compiled together, side by side."""


def share(archives: str, packages: str) -> None:
    """Lay byte code of installed packages beside what they were linked from; `archives` has a folder for each wheel."""
    here = {_identity(path) for path in glob.glob(f"{packages}/*.dist-info/METADATA")}  # noqa: PTH207
    for path in glob.glob(f"{archives}/*/*.dist-info/METADATA"):  # noqa: PTH207
        if _identity(path) in here:
            _lay(path.rpartition("/")[0].rpartition("/")[0], packages)


def uncompiled(packages: str, known: Iterable[str]) -> list[str]:
    """What lies directly among the packages and is, or has, modules without byte code; `""`, all, where that is much.

    `known` are paths in the environment, byte code among them that is good; for which interpreter, the folder of the
    packages says. Most of it was compiled for another environment, and linked with the packages.
    """
    release = packages.split("/")[-2].removeprefix("python").replace(".", "")
    there, tops = set(known), set()
    for path in there:
        if path.endswith(".py") and path.startswith(f"{packages}/"):
            folder, _, name = path.rpartition("/")
            if f"{folder}/{CACHE}/{name.removesuffix('.py')}.cpython-{release}.pyc" not in there:
                tops.add(path.removeprefix(f"{packages}/").partition("/")[0])
    return sorted(tops) if there and len(tops) <= _FEW else [""]


def foreign(contents: Contents, found: Mapping[str, str], key: bytes) -> list[str]:
    """Paths of byte code that was not compiled here from what the wheels hold."""
    known: dict[str, dict[str, list[str]]] = {}
    strange = []
    for path, digest in found.items():
        if contents.is_byte_code(path):
            wheel = contents.wheel_of[contents.source_of(path)]
            if wheel not in known:
                known[wheel] = _recorded(wheel, key)
            if digest not in known[wheel].get(path, ()):
                strange.append(path)
    return strange


def record(contents: Contents, found: Mapping[str, str], wheels: Iterable[str], key: bytes) -> None:
    """Write down what was compiled now from these wheels of the store; other interpreters have written theirs."""
    made: dict[str, dict[str, str]] = {wheel: {} for wheel in wheels}
    for path, digest in found.items():
        if contents.is_byte_code(path) and (wheel := contents.wheel_of[contents.source_of(path)]) in made:
            made[wheel][path] = digest
    for wheel, compiled in made.items():
        known = _recorded(wheel, key)
        if any(digest not in known.get(path, ()) for path, digest in compiled.items()):
            _write(wheel, {**known, **{path: [digest, *known.get(path, ())] for path, digest in compiled.items()}}, key)


def _recorded(wheel: str, key: bytes) -> dict[str, list[str]]:
    try:
        with open(f"{os.path.dirname(wheel)}/{RECORD}", "rb") as file:  # noqa: PTH120, PTH123 - os calls throughout
            seal, _, body = file.read().partition(b"\n")
    except OSError:
        return {}
    if not hmac.compare_digest(seal, _seal(wheel, body, key)):
        return {}
    found: dict[str, list[str]] = json.loads(body)
    return found


def _write(wheel: str, compiled: Mapping[str, list[str]], key: bytes) -> None:
    body, folder = json.dumps(compiled, sort_keys=True).encode(), os.path.dirname(wheel)  # noqa: PTH120
    new = f"{folder}/{RECORD}.{os.urandom(8).hex()}"
    with open(new, "xb") as file:  # noqa: PTH123
        file.write(_seal(wheel, body, key) + b"\n" + body)
    os.replace(new, f"{folder}/{RECORD}")  # noqa: PTH105


def _seal(wheel: str, body: bytes, key: bytes) -> bytes:
    name = os.path.basename(os.path.dirname(wheel))  # noqa: PTH119, PTH120
    return hmac.new(key, f"{RECORD} {name}\n{sha256(body).hexdigest()}".encode(), sha256).hexdigest().encode()


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _lay(archive: str, packages: str) -> None:
    for where, _, files in os.walk(archive):
        below = where.removeprefix(archive)
        cached = f"{packages}{below}/{CACHE}"
        if not below.endswith(f"/{CACHE}") and os.path.isdir(cached):  # noqa: PTH112
            modules = {name.removesuffix(".py") for name in files if name.endswith(".py")}
            compiled = [name for name in os.listdir(cached) if name.partition(".")[0] in modules]  # noqa: PTH208
            with suppress(OSError):  # it is made again where it cannot be had
                os.makedirs(f"{where}/{CACHE}", exist_ok=True)  # noqa: PTH103
                for name in compiled:
                    _place(f"{cached}/{name}", f"{where}/{CACHE}/{name}")


def _place(path: str, target: str) -> None:
    """Link it to there, in the place of another one: what is in the environment was compiled, or known to have been."""
    with suppress(FileNotFoundError):
        if _identity(path) == _identity(target):
            return
    new = f"{target}.{os.urandom(8).hex()}"
    os.link(path, new)
    os.replace(new, target)  # noqa: PTH105
