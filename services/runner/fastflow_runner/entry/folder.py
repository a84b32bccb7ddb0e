"""The folder of a pipeline as uv is shown it: all that is in it, and files of ours in the place of its own."""

import base64
import gzip
import io
import os
import posixpath
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastflow_runner.entry.manifest import FOLDER
from fastflow_runner.entry.staging import unpack
from fastflow_runner.entry.uv import RefusedError

HERE = "/the-folder-of-the-pipeline"
"""Stands in locks for wherever the folder lies."""
MAX_PACKED_BYTES = 7 << 20
_SAYING = {"uv.toml", "pyproject.toml"}
_HIDDEN = {".python-version", ".venv", FOLDER}


def inside(folder: str, path: str) -> bool:
    """True when a path that is read from within the folder cannot lead out of it, by symbolic links neither."""
    plain = posixpath.normpath(path)
    if not path or "\0" in path or plain.startswith("/") or plain.split("/", 1)[0] == "..":
        return False
    root = os.path.realpath(folder)
    # A link before `..` would make a difference between what is written and what is opened.
    found = {os.path.realpath(f"{folder}/{name}") for name in (path, plain)}
    return all(name == root or name.startswith(f"{root}/") for name in found)


@contextmanager
def shown(folder: str, files: Mapping[str, str]) -> Iterator[str]:
    """A new folder with links to what is in `folder`, which may be missing, and with these files."""
    with tempfile.TemporaryDirectory() as here:
        if folder and os.path.isdir(folder):  # noqa: PTH112 - os calls throughout
            for name in os.listdir(folder):  # noqa: PTH208
                if name not in files and name not in _HIDDEN:
                    os.symlink(f"{folder}/{name}", f"{here}/{name}")  # noqa: PTH211
        for name, text in files.items():
            with open(f"{here}/{name}", "w", encoding="utf-8") as file:  # noqa: PTH123
                file.write(text)
        yield here


def read(folder: str, name: str) -> str | None:
    """Text of a file in the folder; None when there is none."""
    try:
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123
            return decoded(file.read())
    except OSError:
        return None


_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def decoded(content: bytes) -> str:
    """Text of a file, in the encoding that its first bytes tell, else in UTF-8; no mark is left for the next reader."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").lstrip("\ufeff")
    return content.decode("utf-8", "replace")


def packed(folder: str, *, whole: bool) -> str:
    """The folder as text, for a builder that sees nothing of ours: all of it, or only what says uv's settings.

    Raises:
        RefusedError: it is too large for that.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6, dereference=False) as tar:
        for name in sorted(os.listdir(folder)):  # noqa: PTH208
            if name == FOLDER or (not whole and name not in _SAYING):
                continue
            tar.add(f"{folder}/{name}", name)
            if buffer.tell() > MAX_PACKED_BYTES:
                raise RefusedError(
                    "packages in the pipeline's own folder have to be built, and for that the folder is too large: "
                    f"compressed it has more than {MAX_PACKED_BYTES >> 20} MiB"
                )
    return base64.b64encode(buffer.getvalue()).decode()


def unpacked(text: str, folder: str) -> None:
    """Lay down what was packed."""
    unpack(io.BytesIO(gzip.decompress(base64.b64decode(text))), folder)
