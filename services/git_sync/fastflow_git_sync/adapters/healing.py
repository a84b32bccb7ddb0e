"""Damage of a copy: found by looking at the copy itself, never by what a host says, and mended where it is.

Every pack and its index end with the hash of what stands before, every loose object has its hash for a name: what does
not fit is removed, and what is missing then is fetched again. Commits that no branch of the host holds any more stay,
as long as they can be read.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from fastflow_git_sync.adapters.command import GitCommand

_CHUNK = 1 << 20
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA256 = re.compile(r"objectformat\s*=\s*sha256", re.IGNORECASE)
_LOOSE = re.compile(r"[0-9a-f]{2}")
_DERIVED = ("multi-pack-index*", "../info/commit-graph", "../info/commit-graphs/*")
"""What Git makes from packs to be faster, and can do without."""


def id_format(repository: Path) -> str:
    """Which ids a copy has, `sha1` or `sha256`: as its configuration says, or one of its refs."""
    with suppress(OSError, UnicodeDecodeError):
        if _SHA256.search((repository / "config").read_text()):
            return "sha256"
    known = {*refs(repository).values(), *(name.rpartition("/")[2] for name in refs(repository))}
    return "sha256" if any(len(id) == 64 and _COMMIT.fullmatch(id) for id in known) else "sha1"


def broken_files(repository: Path) -> list[Path]:
    """The packs, their indexes and the loose objects that are not what they should be."""
    hash_bytes = 32 if id_format(repository) == "sha256" else 20
    objects = repository / "objects"
    found = [path for path in objects.glob("pack/pack-*.pack") if not _ends_with_its_hash(path, hash_bytes)]
    found += [path for path in objects.glob("pack/pack-*.idx") if not _ends_with_its_hash(path, hash_bytes)]
    found += [path for path in objects.glob("pack/pack-*.pack") if not path.with_suffix(".idx").exists()]
    return found + [path for path in _loose(objects) if not _is_itself(path, hash_bytes)]


def remove(repository: Path, broken: Sequence[Path]) -> None:
    """Remove broken files with everything that speaks of them."""
    for path in broken:
        if path.parent.name == "pack":
            for beside in path.parent.glob(f"{path.stem}.*"):
                beside.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    for pattern in _DERIVED:
        for path in (repository / "objects/pack").glob(pattern):
            if path.is_file():
                path.unlink(missing_ok=True)


def refs(repository: Path) -> dict[str, str]:
    """Every ref of ours and the commit it stands for, empty where that cannot be read; without Git's help."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for line in (repository / "packed-refs").read_text("utf-8", "surrogateescape").splitlines():
            commit, _, name = line.partition(" ")
            if name.startswith("refs/fastflow/"):
                found[name] = commit
    for path in (repository / "refs/fastflow").rglob("*"):
        if path.is_file():
            commit = path.read_text("utf-8", "replace").strip()
            found[str(path.relative_to(repository))] = commit if _COMMIT.fullmatch(commit) else ""
    return found


def can_be_read(command: GitCommand, commit: str) -> bool:
    """True when the commit is there with everything it descends from and its folders; files are fetched on demand."""
    if not _COMMIT.fullmatch(commit):
        return False
    known = command.succeeds("rev-list", "--quiet", commit, "--")
    return known and command.succeeds("ls-tree", "-r", "--name-only", "-z", commit)


def forget_ref(repository: Path, name: str) -> None:
    """Remove a ref, however broken it is."""
    (repository / name).unlink(missing_ok=True)
    packed = repository / "packed-refs"
    with suppress(FileNotFoundError):
        lines = packed.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
        left = [line for line in lines if line.rstrip("\n").partition(" ")[2] != name]
        if left != lines:
            packed.write_text("".join(left), "utf-8", "surrogateescape")


def _ends_with_its_hash(path: Path, hash_bytes: int) -> bool:
    """True for a pack or an index whose last bytes are the hash of all others."""
    try:
        left, digest = path.stat().st_size - hash_bytes, _hash(hash_bytes)
        if left <= 0:
            return False
        with path.open("rb") as file:
            while left and (chunk := file.read(min(_CHUNK, left))):
                digest.update(chunk)
                left -= len(chunk)
            return file.read() == digest.digest()
    except OSError:
        return False


def _is_itself(path: Path, hash_bytes: int) -> bool:
    """True for a loose object whose name is the hash of its content."""
    digest, inflate = _hash(hash_bytes), zlib.decompressobj()
    try:
        with path.open("rb") as file:
            while not inflate.eof and (chunk := inflate.unconsumed_tail or file.read(_CHUNK)):
                digest.update(inflate.decompress(chunk, _CHUNK))
    except (OSError, zlib.error):
        return False
    return inflate.eof and digest.hexdigest() == f"{path.parent.name}{path.name}"


def _loose(objects: Path) -> Iterator[Path]:
    for folder in objects.iterdir() if objects.is_dir() else ():
        if _LOOSE.fullmatch(folder.name):
            yield from (path for path in folder.iterdir() if not path.name.startswith("tmp_"))


def _hash(hash_bytes: int) -> "hashlib._Hash":
    return hashlib.sha256() if hash_bytes == 32 else hashlib.sha1(usedforsecurity=False)
