"""What a pipeline's packages lean on in its folder, besides the file that names them; pure.

| it says | it leans on |
|---|---|
| `./wheels/x.whl`, `x @ file:./x`, `.`, `-e ./lib`, `--find-links ./wheels` | what lies there |
| `-c constraints.txt` | that file |
| `path = …` in `[tool.uv.sources]`, a folder or file in `uv.lock` | what lies there |
| settings of uv in `uv.toml` or `pyproject.toml` | that file |

The entry program of the runner holds uv to the same, where it counts; here it is said early.
"""

import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from fastflow_events.message import Statement

from fastflow_rules.folder.entries import Entry
from fastflow_rules.folder.reasons import BesideFolder, NotInFolder, Unseen, VariableUnused

_EDITABLE = re.compile(r"(?:-e\s*|--editable(?:\s+|=))")
_PLACE = re.compile(r"(?:-f|--find-links|-i|--index-url|--extra-index-url)(?:\s*=\s*|\s+|(?<=-[fi])(?=\S))(.+)")
_FILE = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?<=-[rc])(?=\S))(\S+)")
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*@\s*(.*)")
_SUFFIXES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")


def of_requirements(text: str) -> list[str]:
    """Paths that lines of a requirements file lean on; files they include are written out already."""
    found: list[str | None] = []
    for line in lines_of(text):
        if match := _FILE.fullmatch(line):
            found.append(None if "://" in match[1] else match[1])
        elif match := _PLACE.fullmatch(line):
            found.append(_place(match[1].strip("\"'")))
        elif match := _EDITABLE.match(line):
            found.append(_local(line[match.end() :]) or _place(re.sub(r"\[[^\]/]*\]\Z", "", line[match.end() :])))
        elif not line.startswith("-"):
            found.append(_local(line))
    return [path for path in found if path is not None]


def of_block(block: Mapping[str, Any]) -> list[str]:
    """Paths that a PEP 723 block leans on."""
    packages = [each for each in _list(block.get("dependencies")) if isinstance(each, str)]
    return [*filter(None, map(_local, packages)), *of_settings(uv_of(block))]


def of_settings(uv: Mapping[str, Any]) -> list[str]:
    """Paths that `[tool.uv]` leans on."""
    by_name = uv.get("sources")
    sources = [each for value in by_name.values() for each in _list(value)] if isinstance(by_name, dict) else []
    paths = [source.get("path") for source in sources if isinstance(source, dict)]
    paths += [index.get("url") for index in _list(uv.get("index")) if isinstance(index, dict)]
    paths += [*_list(uv.get("find-links")), *_list(uv.get("index-url")), *_list(uv.get("extra-index-url"))]
    return [*filter(None, (_place(path) for path in paths if isinstance(path, str)))]


def of_lock(lock: str) -> list[str]:
    """Paths that a `uv.lock` leans on, but for the project itself where it has nothing to be built."""
    packages = [package for package in _list((toml(lock) or {}).get("package")) if isinstance(package, dict)]
    sources = [source for package in packages if isinstance(source := package.get("source"), dict)]
    places = [(kind, place) for source in sources for kind, place in source.items() if isinstance(place, str)]
    return [place for kind, place in places if "://" not in place and (kind, place) != ("virtual", ".")]


def refusals(text: str, paths: Sequence[str], entries: Sequence[Entry], where: str) -> Iterator[Statement]:
    """What cannot be: variables, and paths that lead out of the folder or nowhere."""
    for name in sorted({match[0] for line in lines_of(text) for match in _VARIABLE.finditer(line)}):
        yield VariableUnused(where, name)
    if hidden := next((line for line in lines_of(text) if "\ufeff" in line), None):
        yield Unseen(where, repr(hidden))
    for path in dict.fromkeys(paths):
        plain = posixpath.normpath(path)
        if plain.startswith("/") or plain.split("/", 1)[0] == "..":
            yield BesideFolder(where, path)
        elif not any(_is_below(entry.path, plain) for entry in entries) and not _linked(plain, entries):
            yield NotInFolder(where, path)


def digest(text: str, paths: Sequence[str], entries: Sequence[Entry]) -> str:
    """Hash of the text and of everything that it leans on; of the text alone where that is nothing."""
    plain = {posixpath.normpath(path) for path in paths}
    plain |= {"." for path in plain if _linked(path, entries)}  # what a link leads to is somewhere in the folder
    leant = sorted(f"{e.path} {e.mode} {e.oid}\n" for e in entries if any(_is_below(e.path, path) for path in plain))
    content = text.encode() + (b"\0" + "".join(leant).encode("utf-8", "surrogateescape") if paths else b"")
    return sha256(content).hexdigest()


def lines_of(text: str) -> Iterator[str]:
    """Lines that say something, without their comments; continued ones as one."""
    for line in text.replace("\\\r\n", "").replace("\\\n", "").splitlines():
        if stripped := re.sub(r"(^|\s)#.*\Z", "", line).strip():
            yield stripped


def uv_of(block: Mapping[str, Any]) -> dict[str, Any]:
    """The `[tool.uv]` of a block or project; empty without one."""
    tool = block.get("tool")
    found = tool.get("uv") if isinstance(tool, dict) else None
    return found if isinstance(found, dict) else {}


def toml(text: str) -> dict[str, Any] | None:
    """What a file says; None when it is no TOML."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _is_below(path: str, place: str) -> bool:
    return place in (".", path) or path.startswith(f"{place}/")


def _linked(place: str, entries: Sequence[Entry]) -> bool:
    links = [entry.path for entry in entries if entry.is_link]
    return any(_is_below(place, link) or _is_below(link, place) for link in links)


def _local(requirement: str) -> str | None:
    specifier = requirement.split(" --hash", 1)[0].split(" ;", 1)[0].strip()
    named = _NAMED.match(specifier)
    link = (named[1] if named else specifier).strip()
    if link.startswith(("file:", "git+file:")):
        return link.partition("file:")[2].removeprefix("//")
    if "://" in link or link.startswith("git+"):
        return None
    link = re.sub(r"\[[^\]/]*\]\Z", "", link)
    return link if named or "/" in link or link.startswith(".") or link.endswith(_SUFFIXES) else None


def _place(place: str) -> str | None:
    if place.startswith("file:"):
        return _local(place)
    return None if "://" in place else place


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
