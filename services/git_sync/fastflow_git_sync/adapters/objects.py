"""Git objects read through one long-lived `git cat-file`, so that a tree costs no process."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from io import BytesIO
from typing import Protocol, TypeAlias, TypeVar

from fastflow_rules.folder import MAX_BYTES, MAX_FILES, TOO_LARGE, TOO_MANY, Entry
from git import Git

from fastflow_git_sync.core import faults
from fastflow_git_sync.ports import GitError, TooLargeError, always

T = TypeVar("T")
Header: TypeAlias = tuple[str, str, int]
"""Id, type and size."""
MAX_TREE_BYTES = 10_000_000
"""A tree object of twenty thousand long names."""
_KEPT = 1024
"""Objects that are remembered: a folder is listed, judged and packed within moments."""
_KEPT_BYTES = 64_000
"""What is larger is read again."""


class Reader(Protocol):
    """Something that is read piece by piece."""

    def read(self, size: int = -1, /) -> bytes:
        """Its next bytes."""


class Objects:
    """The objects of one repository, from one thread at a time; a `Copy`."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._headers: OrderedDict[str, Header] = OrderedDict()
        self._told: dict[str, Header] = {}
        """Headers of what is about to be read, asked for all at once."""
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self.unreadable: set[str] = set()
        """Objects that should have been there and could not be read."""

    def header(self, revision: str) -> Header:
        """Id, type and size of an object.

        Raises:
            GitError: there is none.
        """
        if known := self._headers.get(revision) or self._told.get(revision):
            return known
        try:
            oid, kind, size = self._git.get_object_header(revision)
        except (ValueError, OSError) as exc:
            self._git.clear_cache()
            raise GitError(faults.ObjectUnreadable(revision)) from exc
        found = _text(oid), _text(kind), size
        if revision == found[0]:  # an object never changes, what a name stands for does
            _keep(self._headers, revision, found)
        return found

    def tell(self, listed: str) -> None:
        """Take the headers that `cat-file --batch-check` lists, until it lists others; what is missing has none."""
        words = (line.split(" ") for line in listed.splitlines())
        self._told = {found[0]: (found[0], found[1], int(found[2])) for found in words if len(found) == 3}

    def forget(self) -> None:
        """Forget what was read: the copy was made anew, and may hold less."""
        self._headers.clear()
        self._told.clear()
        self._contents.clear()

    def has(self, oid: str) -> bool:
        """True when the object is in the copy."""
        try:
            self.header(oid)
        except GitError:
            return False
        return True

    def size(self, oid: str) -> int:
        """Size of an object that should be there.

        Raises:
            GitError: it is not.
        """
        try:
            return self.header(oid)[2]
        except GitError:
            self.unreadable.add(oid)
            raise

    def data(self, oid: str) -> bytes:
        """Content of an object.

        Raises:
            GitError: there is none.
        """
        if (known := self._contents.get(oid)) is not None:
            return known
        try:
            content = self._git.get_object_data(oid)[3]
        except (ValueError, OSError) as exc:
            self._git.clear_cache()
            self.unreadable.add(oid)
            raise GitError(faults.ObjectUnreadable(oid)) from exc
        if len(content) <= _KEPT_BYTES:
            _keep(self._contents, oid, content)
        return content

    def stream(self, oid: str) -> Reader:
        """Content of an object, a large one as it is read; nothing else may be read before its end.

        Raises:
            GitError: there is none.
        """
        if self.size(oid) <= _KEPT_BYTES:
            return BytesIO(self.data(oid))
        try:
            return self._git.stream_object_data(oid)[3]
        except (ValueError, OSError) as exc:
            self._git.clear_cache()
            self.unreadable.add(oid)
            raise GitError(faults.ObjectUnreadable(oid)) from exc

    def names(self, tree: str) -> list[Entry]:
        """What lies directly in a tree; sub-trees have the mode `40000`.

        Raises:
            TooLargeError: the tree object is enormous.
        """
        size = self.size(tree)
        oid, kind, _ = self.header(tree)
        if kind != "tree":
            raise GitError(faults.NotATree(tree, kind))
        if size > MAX_TREE_BYTES:
            raise TooLargeError(faults.TooManyNames(MAX_FILES))
        try:
            return list(_parse(self.data(oid), hash_bytes=len(oid) // 2))
        except ValueError as exc:
            raise GitError(faults.TreeMalformed(oid)) from exc

    def read(self, entries: Sequence[Entry]) -> dict[str, bytes]:
        """The content of each entry."""
        return {entry.path: self.data(entry.oid) for entry in entries}

    def entries(self, tree: str, accept: Callable[[Sequence[Entry]], bool] = always) -> list[Entry]:
        """Every file under a tree that is accepted.

        Raises:
            TooLargeError: more files or more bytes than a pipeline may have; noticed before they are read.
        """
        if not accept(self.names(tree)):
            return []
        found: list[Entry] = []
        names, sizes = cache(self.names), cache(self.size)  # a bomb repeats itself
        todo, total, visited = [("", tree)], 0, 0
        while todo:
            prefix, oid = todo.pop()
            visited += 1
            for entry in names(oid):
                path = f"{prefix}{entry.path}"
                if entry.is_folder:
                    todo.append((f"{path}/", entry.oid))
                    continue
                size = 0 if entry.is_submodule else sizes(entry.oid)
                total += size
                found.append(Entry(path=path, mode=entry.mode, oid=entry.oid, size=size))
                if len(found) > MAX_FILES:
                    raise TooLargeError(TOO_MANY)
                if total > MAX_BYTES:
                    raise TooLargeError(TOO_LARGE)
            if visited + len(todo) > MAX_FILES:
                raise TooLargeError(faults.TooManyFolders(MAX_FILES))
        return sorted(found, key=lambda entry: entry.path.encode("utf-8", "surrogateescape"))


class AnyHash(Git):
    """GitPython takes ids of SHA-1 only."""

    def _parse_object_header(self, header_line: str | bytes) -> tuple[str, str, int]:
        """`<id> <type> <size>`.

        Raises:
            ValueError: there is no such object.
        """
        words = _text(header_line).split()
        if len(words) != 3 or len(words[0]) not in (40, 64):
            raise ValueError(f"no such object: {words[:2]}")
        return words[0], words[1], int(words[2])


def _keep(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    if len(kept) > _KEPT:
        kept.popitem(last=False)


def _text(value: str | bytes) -> str:
    """GitPython promises text and hands out the bytes it read."""
    return value.decode("ascii") if isinstance(value, bytes) else value


def _parse(raw: bytes, *, hash_bytes: int) -> Iterator[Entry]:
    """`<mode> <name> NUL <hash>`, again and again.

    Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    at = 0
    while at < len(raw):
        space = raw.index(b" ", at)
        end = raw.index(b"\0", space)
        name = raw[space + 1 : end].decode("utf-8", "surrogateescape")
        oid = raw[end + 1 : end + 1 + hash_bytes].hex()
        yield Entry(path=name, mode=raw[at:space].decode("ascii").lstrip("0"), oid=oid)
        at = end + 1 + hash_bytes
