"""The store of wheels: each below the hash of its content, which was worked out here, and never changed.

Whoever hands wheels over is not believed: a wheel counts as what its lock says only if the lock has its hash.
"""

import glob
import os
import re
import shutil
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import IO

from fastflow_runner.entry.locks import hashes, normal
from fastflow_runner.entry.manifest import hash_of
from fastflow_runner.entry.uv import OutageError, RefusedError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*\.whl")
_KEPT = re.compile(rf"([0-9a-f]{{64}})/({_NAME.pattern})")
_HELD = ".wheels"
_CHUNK_BYTES = 1 << 20
_MOST_FILES = 10_000


def kept(root: str, names: Sequence[str], lock: str) -> list[str]:
    """Paths of wheels that are in the store, each with the content that its lock says it has.

    Raises:
        RefusedError: the lock does not have such a wheel.
        OutageError: it is not there any more, or another file was in its place.
    """
    known, paths = hashes(lock), []
    for name in names:
        match = _KEPT.fullmatch(name)
        if match is None or match[1] not in known.get(_package(match[2]), ()):
            raise RefusedError(f"{name!r} is no wheel of the lock")
        paths.append(f"{root}/wheels/{name}")
        if not is_kept(paths[-1], match[1]):
            with suppress(FileNotFoundError):
                os.unlink(paths[-1])  # noqa: PTH108 - os calls throughout
            raise OutageError(f"{match[2]} is not in the store, or not as it was stored: it is fetched again")
    return paths


def is_kept(path: str, digest: str) -> bool:
    """True when the file is there, and holds what has this hash: that it is there says nothing."""
    try:
        return hash_of(path) == digest
    except OSError:
        return False


def received(root: str, archive: IO[bytes], lock: str, aside: str | None) -> list[str]:
    """Paths of the wheels in the archive, those of the lock in the store now.

    Others were built, and are laid `aside`, where nobody else will find them; without such a place they are refused.

    Raises:
        RefusedError: something in it is no wheel of the lock.
        OutageError: the archive ended early.
    """
    known, paths = hashes(lock), []
    coming = f"{root}/wheels/{os.urandom(8).hex()}.new"
    os.makedirs(coming)  # noqa: PTH103
    try:
        with tarfile.open(fileobj=archive, mode="r|") as tar:
            for member in tar:
                name = os.path.basename(member.name)  # noqa: PTH119
                source = tar.extractfile(member) if member.isreg() and _NAME.fullmatch(name) else None
                if source is None:
                    continue
                digest = _copied(source, f"{coming}/{name}")
                if digest in known.get(_package(name), ()):
                    paths.append(_placed(f"{coming}/{name}", f"{root}/wheels/{digest}/{name}", digest))
                elif aside:
                    paths.append(shutil.move(f"{coming}/{name}", f"{aside}/{name}"))
                else:
                    raise RefusedError(f"{name} is not the file that the lock names")
                if len(paths) > _MOST_FILES:
                    raise RefusedError("too many wheels were handed over")
    except tarfile.TarError as error:
        raise OutageError(f"the wheels did not arrive completely: {error}") from error
    finally:
        shutil.rmtree(coming, ignore_errors=True)
    return sorted(paths)


def hold(paths: Sequence[str], environment: str) -> None:
    """Keep wheels of the store as long as the environment is there.

    It names them, and has no links to them: for uv a file that gets another name is another file.
    """
    new = f"{environment}/{_HELD}.{os.urandom(8).hex()}"
    with open(new, "x", encoding="utf-8") as file:  # noqa: PTH123
        file.writelines(f"{path.split('/')[-2]}\n" for path in paths)
    os.replace(new, f"{environment}/{_HELD}")  # noqa: PTH105 - never into a file that a wheel has brought there


def sweep(root: str) -> int:
    """Bytes of the wheels that no environment holds any more, which are removed."""
    held: set[str] = set()
    for path in glob.glob(f"{root}/envs/*/{_HELD}"):  # noqa: PTH207
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            held.update(file.read().split())
    total = 0
    for name in os.listdir(f"{root}/wheels") if os.path.isdir(f"{root}/wheels") else ():  # noqa: PTH112, PTH208
        if "." not in name and name not in held:
            with os.scandir(f"{root}/wheels/{name}") as files:
                total += sum(each.stat(follow_symlinks=False).st_size for each in files)
            shutil.rmtree(f"{root}/wheels/{name}", ignore_errors=True)
    return total


def _package(file: str) -> str:
    return normal(file.partition("-")[0])


def _copied(source: IO[bytes], path: str) -> str:
    digest = sha256()
    with open(path, "xb") as file:  # noqa: PTH123
        while data := source.read(_CHUNK_BYTES):
            digest.update(data)
            file.write(data)
    return digest.hexdigest()


def _placed(path: str, target: str, digest: str) -> str:
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
    # Not over one that is there and whole: for uv that would be another file.
    if not is_kept(target, digest):
        os.replace(path, target)  # noqa: PTH105
    return target
