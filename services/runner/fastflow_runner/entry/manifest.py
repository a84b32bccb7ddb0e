"""What a tree holds, written down beside it by who made it, and sealed: later nobody has to believe that it is there.

```text
fastflow manifest 1 <HMAC of the name of the tree, and of what follows>
[path, kind, mode, size, time of the last change, SHA-256 or target]      one line of JSON for each entry, in order
```

What only writers need is imported when it is needed: a run may have little memory for who looks at its code.
Only the runner has the key, and says it to who writes trees and to who looks them through. To whoever has less, it says
the hash of the manifest.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import file_digest, sha256
from importlib import import_module
from typing import NamedTuple

FOLDER = ".fastflow"
"""At the top of every tree, and no part of it."""
_FILE = f"{FOLDER}/manifest"
_HEAD = "fastflow manifest 1 "
_MAX_BYTES = 256 << 20
_NAMED = 3
_FEW = 200
_OTHERS = 0o7022
"""Who only reads needs no right to write, and nobody one to be somebody else."""


UNREAD: Mapping[str, "Entry"] = {}
"""What is known of files when none was read."""


class ChangedError(Exception):
    """The tree is not what was made there; `args` are sentences about what differs."""

    def __str__(self) -> str:
        """The first few of them."""
        more = len(self.args) - _NAMED
        return "; ".join([*self.args[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


class Entry(NamedTuple):
    """A file, a folder or a symbolic link."""

    kind: str
    """`f`, `d` or `l`; anything else has no place in a tree."""
    mode: int
    size: int = 0
    changed_ns: int = 0
    content: str = ""
    """SHA-256 of a file, target of a link."""


def looked_at(tree: str, known: Mapping[str, Entry] = UNREAD) -> dict[str, Entry]:
    """Everything but folders, by its path; a file that is `known`, and was not written since, is not read again."""
    return _hashed(tree, {path: entry for path, entry in _found(tree) if entry.kind != "d"}, known)


def contents_of(found: Mapping[str, Entry]) -> dict[str, str]:
    """SHA-256 of each file, by its path; what is no file has none."""
    return {path: entry.content if entry.kind == "f" else "" for path, entry in found.items()}


def hashes(tree: str) -> dict[str, str]:
    """The same of all that is in the tree now."""
    return contents_of(looked_at(tree))


def write(tree: str, key: bytes, *, name: str = "", known: Mapping[str, Entry] = UNREAD) -> str:
    """Write the manifest of what is complete now; its hash. `name` is what the folder will be called.

    What lies there already under that name is none of ours, whoever has brought it. What is `known` of files is said of
    them: whoever changes one afterwards is found out.
    """
    _remove(f"{tree}/{FOLDER}")
    found = _hashed(tree, {path: _mended(f"{tree}/{path}", entry) for path, entry in _found(tree)}, known)
    body = "".join(f"{json.dumps([path, *found[path]])}\n" for path in sorted(found)).encode()
    os.mkdir(f"{tree}/{FOLDER}", 0o755)  # noqa: PTH102 - os calls throughout, as in the rest of this program
    with open(os.open(f"{tree}/{_FILE}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb") as file:  # noqa: PTH123
        file.write(f"{_HEAD}{_seal(name or _name(tree), body, key)}\n".encode() + body)
    os.chmod(tree, stat.S_IMODE(os.lstat(tree).st_mode) & ~_OTHERS | 0o555)  # noqa: PTH101
    return sha256(body).hexdigest()


def sealed(tree: str, key: bytes) -> str:
    """Hash of the manifest.

    Raises:
        ChangedError: there is none that was sealed with the key.
    """
    head, body = _read(tree)
    if not import_module("hmac").compare_digest(head, f"{_HEAD}{_seal(_name(tree), body, key)}".encode()):
        raise ChangedError("its manifest was sealed by somebody else")
    return sha256(body).hexdigest()


def check(tree: str, digest: str, *, whole: bool = False) -> None:
    """Nothing, when the tree is what its manifest, which has this hash, says; `whole` reads every file.

    Raises:
        ChangedError: it is not.
    """
    _, body = _read(tree)
    if sha256(body).hexdigest() != digest:
        raise ChangedError("its manifest is another one")
    try:
        lines = [json.loads(line) for line in body.splitlines()]
        wanted = {path: Entry(*entry) for path, *entry in lines}
    except (ValueError, TypeError) as error:
        raise ChangedError(f"its manifest cannot be read: {error}") from error
    try:
        found = dict(_found(tree))
        if whole:
            found = _hashed(tree, found)
    except OSError as error:
        raise ChangedError(f"it cannot be read: {error}") from error
    if differing := list(differences(wanted, found, whole=whole)):
        raise ChangedError(*differing)


def differences(wanted: dict[str, Entry], found: dict[str, Entry], *, whole: bool) -> Iterator[str]:
    """A sentence about each entry that is not as it was; without `whole` the content of files is not known."""
    for path in sorted(wanted.keys() | found.keys()):
        was, now = wanted.get(path), found.get(path)
        if was is None or now is None:
            yield f"{path} is {'new' if was is None else 'missing'}"
        elif not whole and was.kind == "f":
            if was._replace(content="") != now._replace(content=""):
                yield f"{path} has changed"
        elif was != now:
            yield f"{path} has {'other content' if was[:3] == now[:3] else 'changed'}"


def _name(tree: str) -> str:
    return os.path.basename(tree.rstrip("/"))  # noqa: PTH119


def _seal(name: str, body: bytes, key: bytes) -> str:
    message = f"{name}\n{sha256(body).hexdigest()}".encode()
    seal: str = import_module("hmac").new(key, message, sha256).hexdigest()
    return seal


def _read(tree: str) -> tuple[bytes, bytes]:
    try:
        if stat.S_ISLNK(os.lstat(f"{tree}/{FOLDER}").st_mode):
            raise ChangedError("its manifest is somewhere else")
        with open(os.open(f"{tree}/{_FILE}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            head, _, body = file.read(_MAX_BYTES).partition(b"\n")
    except OSError as error:
        raise ChangedError(f"it has no manifest: {error.strerror}") from error
    return head, body


def _found(tree: str) -> Iterator[tuple[str, Entry]]:
    """Everything below the tree but for the manifest; what a file holds is not looked at."""
    todo = [""]
    while todo:
        below = todo.pop()
        with os.scandir(f"{tree}/{below}") as entries:
            for each in entries:
                path = f"{below}{each.name}"
                if path == FOLDER:
                    continue
                about = each.stat(follow_symlinks=False)
                mode = stat.S_IMODE(about.st_mode)
                if each.is_symlink():
                    yield path, Entry("l", 0, content=os.readlink(each.path))  # noqa: PTH115
                elif each.is_dir(follow_symlinks=False):
                    yield path, Entry("d", mode)
                    todo.append(f"{path}/")
                else:
                    kind = "f" if stat.S_ISREG(about.st_mode) else "?"
                    yield path, Entry(kind, mode, about.st_size, about.st_mtime_ns)


def _hashed(tree: str, found: dict[str, Entry], known: Mapping[str, Entry] = UNREAD) -> dict[str, Entry]:
    contents, files = {}, []
    for path, entry in found.items():
        was = known.get(path)
        if was is not None and (was.kind, was.size, was.changed_ns) == ("f", entry.size, entry.changed_ns):
            contents[path] = was.content
        elif entry.kind == "f":
            files.append(path)
    paths = [f"{tree}/{path}" for path in files]
    contents |= zip(files, map(hash_of, paths) if len(files) < _FEW else _at_once(paths), strict=True)
    return {**found, **{path: found[path]._replace(content=content) for path, content in contents.items()}}


def _at_once(paths: list[str]) -> list[str]:
    # Where there is little to do, in the entry program of a run, there may be little memory for it, too.
    futures = import_module("concurrent.futures")
    with futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
        return list(threads.map(hash_of, paths))


def hash_of(path: str) -> str:
    """SHA-256 of a file, which is no link."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        return file_digest(file, "sha256").hexdigest()


def _mended(path: str, entry: Entry) -> Entry:
    """The same with a mode by which everybody may read it, and nobody but its owner write."""
    wanted = entry.mode & ~_OTHERS | (0o555 if entry.kind == "d" else 0o444)
    if entry.kind == "l" or wanted == entry.mode:
        return entry
    os.chmod(path, wanted)  # noqa: PTH101
    return entry._replace(mode=wanted)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            import_module("shutil").rmtree(path)
        else:
            os.unlink(path)  # noqa: PTH108
