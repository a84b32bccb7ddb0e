"""What uv has installed against the wheels that it was given, whose hashes were checked: its cache is not believed.

uv unpacks a wheel once and links whatever lies there into each environment that has it. So each file of an environment
has to be in one of its wheels, with that content; or to be of those that uv writes itself, and what that is, is known.
"""

import base64
import csv
import io
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from contextlib import ExitStack
from hashlib import sha256

_SCRIPT = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"
' '''
"""
_POINT = """# -*- coding: utf-8 -*-
import sys
from {module} import {name}
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({call}())
"""
_WRITTEN = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"})
"""What uv writes into a package's `.dist-info`; nothing of it is executed."""
_REFERENCE = re.compile(r"([\w.]+)\s*:\s*([\w.]+)")
CACHE = "__pycache__"


class _Points(ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        """Names of scripts are as they are."""
        return optionstr


class Contents:
    """What the wheels hold, by the path that it has in an environment; `packages` is where packages lie there."""

    def __init__(self, wheels: Sequence[str], packages: str) -> None:
        self._packages = packages
        self._files: dict[str, list[tuple[zipfile.ZipFile, str, bool]]] = {}
        self._recorded: dict[tuple[str | None, str], str] = {}
        self._points: dict[str, set[bytes]] = {}
        self._infos: set[str] = set()
        self._headers: dict[str, list[tuple[zipfile.ZipFile, str, bool]]] = {}
        self.wheel_of: dict[str, str] = {}
        """Path of the wheel that a file below the packages is of."""
        with ExitStack() as opened:
            for wheel in wheels:
                self._read(opened.enter_context(zipfile.ZipFile(wheel)), wheel)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the wheels."""
        self._opened.close()

    def strange(self, environment: str, found: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
        """Paths of `found` files, with their hashes, that are of no wheel and were not there `before`; no byte code."""
        for path, digest in found.items():
            if before.get(path) == digest or self.is_byte_code(path):
                continue
            if not self._is_of_a_wheel(environment, path, digest) and not self._is_uvs(environment, path):
                yield path

    def is_byte_code(self, path: str) -> bool:
        """True for what Python makes of a module of a wheel, and no wheel brings along itself."""
        return path not in self._files and self.source_of(path) in self.wheel_of

    def source_of(self, path: str) -> str:
        """The module of which this would be the byte code."""
        folder, _, name = path.rpartition("/")
        above, _, cache = folder.rpartition("/")
        return f"{above}/{name.partition('.')[0]}.py" if cache == CACHE and name.endswith(".pyc") else ""

    def _read(self, wheel: zipfile.ZipFile, path: str) -> None:
        names = [name for name in wheel.namelist() if not name.endswith("/")]
        record = next((name for name in names if re.fullmatch(r"[^/]+\.dist-info/RECORD", name)), "")
        info = record.rpartition("/")[0]
        self._infos.add(f"{self._packages}/{info}")
        data = f"{info.removesuffix('.dist-info')}.data/"
        for name in names:
            scheme, _, rest = name.removeprefix(data).partition("/") if name.startswith(data) else ("purelib", "", name)
            if scheme == "headers":
                self._headers.setdefault(rest, []).append((wheel, name, False))
                continue
            place = {"purelib": f"{self._packages}/", "platlib": f"{self._packages}/", "scripts": "bin/", "data": ""}
            target = os.path.normpath(f"{place.get(scheme, '?')}{rest}")
            self._files.setdefault(target, []).append((wheel, name, scheme == "scripts"))
            if target.startswith(f"{self._packages}/"):
                self.wheel_of[target] = path
        for name, digest, *_ in csv.reader(io.StringIO(_text(wheel, record))):
            if digest.startswith("sha256="):
                raw = base64.urlsafe_b64decode(f"{digest.removeprefix('sha256=')}==")
                self._recorded[wheel.filename, name] = raw.hex()
        self._read_points(_text(wheel, f"{info}/entry_points.txt"))

    def _read_points(self, text: str) -> None:
        parser = _Points(delimiters=("=",), interpolation=None)
        try:
            parser.read_string(text)
        except ConfigError:
            return
        for section in ("console_scripts", "gui_scripts"):
            for name, reference in parser.items(section) if parser.has_section(section) else ():
                if match := _REFERENCE.match(reference):
                    module, call = match.groups()
                    point = _POINT.format(module=module, name=call.partition(".")[0], call=call)
                    self._points.setdefault(f"bin/{name}", set()).add(_SCRIPT + point.encode())

    def _is_of_a_wheel(self, environment: str, path: str, digest: str) -> bool:
        sources = self._files.get(path, [])
        if path.startswith("include/site/"):
            sources = self._headers.get(path.split("/", 4)[-1], [])
        for wheel, name, is_script in sources:
            # What a wheel records of itself is of a wheel whose hash was checked; some are careless about it.
            if self._recorded.get((wheel.filename, name)) == digest or sha256(wheel.read(name)).hexdigest() == digest:
                return True
            text = wheel.read(name) if is_script else b""
            if text.startswith(b"#!python") and _content(environment, path) == _SCRIPT + text.partition(b"\n")[2]:
                return True
        return False

    def _is_uvs(self, environment: str, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if folder in self._infos and name in _WRITTEN:
            return True
        if path == ".lock":
            return _content(environment, path) == b""
        return path in self._points and _content(environment, path) in self._points[path]


def _content(environment: str, path: str) -> bytes:
    with open(f"{environment}/{path}", "rb") as file:  # noqa: PTH123 - os calls throughout
        return file.read()


def _text(wheel: zipfile.ZipFile, name: str) -> str:
    try:
        return wheel.read(name).decode("utf-8", "replace")
    except KeyError:
        return ""
