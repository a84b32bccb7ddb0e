"""Mode `prepare`: an environment that is complete, will not change, and was made without executing any package.

```text
interpreter -> lock (given, or resolved) -> hash of lock, Python build, platform, uv -> there? -> build aside, rename
```
"""

import io
import json
import os
import sys
import tarfile
import tempfile
import time
from hashlib import sha256
from typing import Any

from fastflow_runner.entry.deleting import cache, delete
from fastflow_runner.entry.folder import packed
from fastflow_runner.entry.installing import install, resolve
from fastflow_runner.entry.locks import asks, has_folders, is_local
from fastflow_runner.entry.requirements_text import names_files
from fastflow_runner.entry.sealed import UnsealedError, read_sealed
from fastflow_runner.entry.uv import NeedsBuildError, OutageError, RefusedError, Uv, scrubbed, uv_of
from fastflow_runner.entry.wanted import NotStagedError, wanted

REFUSED = 3
"""Exit code when the packages cannot be had."""
OUTAGE = 4
"""Exit code when asking again later may help."""
NEEDS_BUILD = 5
"""Exit code when packages have to be built from their sources, which is done elsewhere."""
NOT_STAGED = 6
"""Exit code when the code is gone, which has to be staged again."""
_ORDER_BYTES = 16 << 20


def identity(lock: str, about: list[str], uv: str) -> str:
    """Name of the environment: the same for the same files on the same kind of machine, 32 hex digits."""
    parts = [sha256(lock.encode()).hexdigest(), *about, uv.split(".", 1)[0]]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def names_of(lock: str, content: str, about: list[str], uv: str, *, built: bool) -> list[str]:
    """Names under which the environment may be found; the first one is what it gets. `content` is the source's hash.

    Of what a folder holds, and of what took part in a build, a lock says nothing: who has the same lock may have
    built it with other tools, from an index of his own. So that is shared only by those who say the same in all.
    """
    own = identity(lock + content, about, uv)
    if built or has_folders(lock):
        return [own]
    return [identity(lock, about, uv), own]


def prepare(order: dict[str, Any], wheels: bytes = b"") -> dict[str, object]:
    """The environment that `order` asks for, built unless it is there; `wheels` is a tar archive of what was built.

    Raises:
        NeedsBuildError: packages have to be built first; `asked` of it is what the builder has to know.
        RefusedError: it cannot be had.
        OutageError: it cannot be had now.
        NotStagedError: the code is not there to be read.
    """
    with cache(order["root"]), uv_of(order) as uv:
        return _prepare(order, wheels, uv)


def _prepare(order: dict[str, Any], wheels: bytes, uv: Uv) -> dict[str, object]:
    began = time.monotonic()
    root, folder = order["root"], order["folder"]
    version = uv.version()
    asked = wanted(order, uv)
    python = uv.interpreter(order["python"], asked.requires)
    about = uv.about(python)
    lock = order["lock"] or ""
    name = f"base-{about[1]}"
    try:
        lock = lock or resolve(uv, python, asked, folder)
        if asks(lock):
            base, names = python, names_of(lock, order["sha256"], about, version, built=bool(wheels))
            there = (each for each in names if os.path.isdir(f"{root}/envs/{each}"))  # noqa: PTH112 - os calls throughout
            name = next(there, "")
            if not name:
                name = names[0]
                with tempfile.TemporaryDirectory() as aside:
                    built = _unpacked(wheels, aside)
                    install(uv, base, f"{root}/envs/{name}", lock, folder, where=asked.where, built=built)
            python = f"{root}/envs/{name}/bin/python"
    except NeedsBuildError as error:
        if wheels:
            raise RefusedError(str(error)) from error
        # A lock that is known says what of the folder it needs, which is nothing most of the time.
        whole = is_local(lock) or names_files(asked.where) if lock else asked.local or asked.leaning
        what = {
            **asked._asdict(),
            "where": scrubbed(asked.where, []),
            **({"text": lock, "locked": True} if lock else {}),
        }
        files = packed(folder, whole=whole) if asked.leans else ""
        raise NeedsBuildError(str(error), {"wanted": what, "folder": files}) from error
    return {
        "environment": name,
        "interpreter": python,
        "python": " ".join(about[:3]),
        "uv": version,
        "lock": lock,
        "prepare_s": round(time.monotonic() - began, 3),
        "size_bytes": _size(f"{root}/envs/{name}"),
    }


def _size(folder: str) -> int:
    """Bytes of all files below a folder; 0 without one."""
    total, todo = 0, [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def _unpacked(wheels: bytes, folder: str) -> list[str]:
    """Paths of the wheels in the archive, laid flat into the folder."""
    paths: list[str] = []
    if wheels:
        with tarfile.open(fileobj=io.BytesIO(wheels), mode="r:") as tar:
            for member in tar:
                name = os.path.basename(member.name)  # noqa: PTH119
                source = tar.extractfile(member) if member.isreg() and name.endswith(".whl") else None
                if source is not None:
                    paths.append(f"{folder}/{name}")
                    with open(paths[-1], "wb") as file:  # noqa: PTH123
                        file.write(source.read())
    return sorted(paths)


def main() -> int:
    """0 with the result as one JSON line on standard output; 3 to 6 with uv's words on standard error."""
    try:
        order = json.loads(read_sealed(0, _ORDER_BYTES))
        if "delete" in order:
            result = delete(order["root"], order["delete"])
        else:
            result = prepare(order, read_sealed(0) if order.get("wheels") else b"")
    except NeedsBuildError as error:
        sys.stdout.write(json.dumps(error.args[1]) + "\n")
        sys.stderr.write(f"{error.args[0]}\n")
        return NEEDS_BUILD
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    except NotStagedError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_STAGED
    except (OutageError, UnsealedError) as error:
        sys.stderr.write(f"{error}\n")
        return OUTAGE
    sys.stdout.write(json.dumps(result) + "\n")
    return 0
