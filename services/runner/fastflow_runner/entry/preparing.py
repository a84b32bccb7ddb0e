"""Mode `prepare`: an environment that is complete, will not change, and was made without executing any package.

```text
interpreter -> lock (given, or resolved) -> hash of lock, Python build, platform, uv -> there? -> build aside, rename
```
"""

import io
import json
import os
import tarfile
import tempfile
import time
from hashlib import sha256
from typing import IO, Any

from fastflow_runner.entry.adopting import adopted_environment, drop_cache, set_aside
from fastflow_runner.entry.answering import answered
from fastflow_runner.entry.bounding import bound
from fastflow_runner.entry.deleting import cache, delete
from fastflow_runner.entry.folder import packed
from fastflow_runner.entry.installing import install, is_nothing, resolve
from fastflow_runner.entry.interpreters import checked, forget_known
from fastflow_runner.entry.locks import asks, has_folders, is_local
from fastflow_runner.entry.requirements_text import names_files
from fastflow_runner.entry.sealed import read_sealed
from fastflow_runner.entry.store import kept, received
from fastflow_runner.entry.uv import NeedsBuildError, NeedsFetchError, RefusedError, Uv, scrubbed, uv_of
from fastflow_runner.entry.wanted import Wanted, wanted

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


def question(asked: Wanted, lock: str, folder: str) -> dict[str, object]:
    """What a builder has to know."""
    # A lock that is known says what of the folder it needs, which is nothing most of the time.
    whole = is_local(lock) or names_files(asked.where) if lock else asked.local or asked.leaning
    what = {**asked._asdict(), "where": scrubbed(asked.where, []), **({"text": lock, "locked": True} if lock else {})}
    return {"wanted": what, "folder": packed(folder, whole=whole) if asked.leans else ""}


def prepare(order: dict[str, Any], wheels: bytes = b"", handed: IO[bytes] | None = None) -> dict[str, object]:
    """The environment that `order` asks for, made unless it is there; `wheels` is a tar archive of what was built.

    An order to do so `alone` takes all packages from the store, and from the archive that is `handed` over.

    Raises:
        NeedsFetchError: packages have to be downloaded first.
        NeedsPythonError: the interpreter has to be installed first.
        NeedsBuildError: packages have to be built first; `asked` of it is what the builder has to know.
        RefusedError: it cannot be had.
        OutageError: it cannot be had now.
        NotStagedError: the code is not there to be read.
    """
    with cache(order["root"]), uv_of(order) as uv:
        return _prepare(order, wheels, handed, uv)


def _prepare(order: dict[str, Any], wheels: bytes, handed: IO[bytes] | None, uv: Uv) -> dict[str, object]:
    began = time.monotonic()
    root, folder = order["root"], order["folder"]
    key, findings = bytes.fromhex(order["key"]), list[str]()
    if order.get("alone") or order.get("only_python"):
        forget_known(uv.cache)
    # Whatever uv is asked, it may execute them.
    with checked(f"{root}/python", key, findings, installing=not order.get("alone")) as interpreters:
        version = uv.version()
        asked = wanted(order, uv)
        python = uv.interpreter(order["python"], asked.requires)
        sealed = interpreters.sealed(python)
    if order.get("only_python"):
        return {"spoiled": findings}
    about = uv.about(python)
    fetched = order.get("fetched")
    lock = (fetched["lock"] if fetched else order["lock"]) or ""
    name = f"base-{about[1]}"
    try:
        if not lock and order.get("alone") and not fetched and not is_nothing(asked):
            raise NeedsFetchError("packages have to be resolved")
        lock = lock or ("" if order.get("alone") else resolve(uv, python, asked, folder))
        if asks(lock):
            was_built = bool(wheels) or bool(fetched and fetched["built"])
            base, names = python, names_of(lock, order["sha256"], about, version, built=was_built)
            there = ((each, adopted_environment(root, each, key, findings)) for each in names)
            name, digest = next((found for found in there if found[1]), ("", ""))
            if not name:
                name = names[0]
                if order.get("alone"):
                    digest = _link(uv, base, (name, lock), order, handed=handed, findings=findings)
                else:
                    with tempfile.TemporaryDirectory() as aside:
                        built = _unpacked(wheels, aside)
                        target = f"{root}/envs/{name}"
                        digest = install(
                            uv, base, target, lock, folder, key=key, findings=findings, where=asked.where, built=built
                        )
            python = f"{root}/envs/{name}/bin/python"
            sealed[f"{root}/envs/{name}"] = digest
    except NeedsBuildError as error:
        if wheels or (fetched and fetched["built"]):
            raise RefusedError(str(error)) from error
        raise NeedsBuildError(str(error), question(asked, lock, folder)) from error
    return {
        "environment": name,
        "interpreter": python,
        "python": " ".join(about[:3]),
        "uv": version,
        "lock": lock,
        "prepare_s": round(time.monotonic() - began, 3),
        "size_bytes": _size(f"{root}/envs/{name}"),
        "sealed": sealed,
        "spoiled": findings,
    }


def _link(
    uv: Uv, base: str, named: tuple[str, str], order: dict[str, Any], *, handed: IO[bytes] | None, findings: list[str]
) -> str:
    """Make the environment of wheels that are in the store, and of those that were built for it alone."""
    (name, lock), root, fetched = named, order["root"], order.get("fetched")
    if fetched is None or handed is None:
        raise NeedsFetchError("packages have to be looked for")
    with tempfile.TemporaryDirectory(dir=_made(f"{root}/aside"), suffix=".new") as aside:
        paths = kept(root, fetched["there"], lock)
        paths += received(root, handed, lock, aside if fetched["built"] else None)
        held = [path for path in paths if not path.startswith(aside)]
        key, target = bytes.fromhex(order["key"]), f"{root}/envs/{name}"
        return install(
            uv, base, target, lock, order["folder"], key=key, findings=findings, built=sorted(paths), held=held
        )


def _made(folder: str) -> str:
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    return folder


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
    """An exit code of `codes`."""
    return answered(_obeyed)


def _obeyed() -> object:
    order = json.loads(read_sealed(0, _ORDER_BYTES))
    if "delete" in order:
        return delete(order["root"], order["delete"])
    if "set_aside" in order:
        for tree in order["set_aside"]:
            set_aside(tree)
        drop_cache(order["root"])
        return {}
    if order.get("only_python"):
        bound(order, _made(f"{order['root']}/python"), stays=True)
    with os.fdopen(os.dup(0), "rb", buffering=0) as handed:  # an archive is no reason to wait for more than it
        wheels = read_sealed(0) if order.get("wheels") else b""
        return prepare(order, wheels, handed if order.get("fetched") else None)
