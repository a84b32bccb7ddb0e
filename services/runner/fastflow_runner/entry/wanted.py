"""What an order asks for: from whichever of the four places a pipeline names its packages in."""

import os
import tempfile
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fastflow_runner.entry.requirements_text import index_options, refusal, without_options
from fastflow_runner.entry.uv import OutageError, RefusedError, Uv

_START = "# /// script"
_END = "# ///"


class Wanted(NamedTuple):
    """Packages as uv is told of them."""

    text: str = ""
    """Requirements, one a line; empty where `script` has them."""
    script: str = ""
    """A PEP 723 block."""
    locked: bool = False
    """The text is complete and pinned: nothing is resolved."""
    where: str = ""
    """Option lines that say where packages are found; a lock does not repeat them."""
    requires: str = ""
    """What the script says of its Python, such as `>=3.12`."""


def wanted(order: dict[str, Any], uv: Uv) -> Wanted:
    """The packages of an order.

    Raises:
        RefusedError: what the pipeline says cannot be used.
        OutageError: its code is not there.
    """
    source = order["source"]
    if source == "none":
        return Wanted()
    text = order["text"] or _read(order)
    if source == "pep723":
        return _of_block(text)
    if source == "uv_lock":
        return _of_lock(order["folder"], text, uv)
    if source not in {"requirements", "requirements_lock"}:
        raise RefusedError(f"packages from {source!r} cannot be installed by this version")
    if why := refusal(text):
        raise RefusedError(why)
    return Wanted(text=text, where=index_options(text))


def needs_building(text: str) -> bool:
    """True when a line of requirements, or of a block, names sources, of which only a build makes a wheel."""
    return any(_is_source(line) for line in text.splitlines()) or (text.startswith(_START) and "git+" in text)


def block_of(source: str) -> str:
    """The PEP 723 block of a script as it stands there; empty without exactly one."""
    lines = source.splitlines()
    starts = [number for number, line in enumerate(lines) if line.rstrip() == _START]
    if len(starts) != 1:
        return ""
    end = 0
    for number in range(starts[0] + 1, len(lines)):
        if lines[number] != "#" and not lines[number].startswith("# "):
            break
        if lines[number].rstrip() == _END:
            end = number
    return "\n".join(lines[starts[0] : end + 1]) + "\n" if end else ""


def _is_source(line: str) -> bool:
    stripped = line.split(" #", 1)[0].strip().rstrip("\\").strip()
    if not stripped or stripped.startswith(("#", "-")):
        return False
    link = stripped.partition("@")[2].strip() if " @ " in stripped else stripped
    if "git+" in link[:4] or link.startswith(("hg+", "svn+")):
        return True
    path = urlsplit(link.split(";", 1)[0].strip()).path if "://" in link else ""
    return path.endswith((".tar.gz", ".tgz", ".zip", ".tar.bz2"))


def _read(order: dict[str, Any]) -> str:
    """A file too long to travel with the specification, out of the staged code."""
    name = os.path.basename(order["file"])  # noqa: PTH119 - os calls throughout
    try:
        with open(order["file"], "rb") as file:  # noqa: PTH123
            text = file.read().decode("utf-8", "replace")
    except OSError as error:
        raise OutageError(f"{name} is not staged: {error.strerror}") from error
    if order["source"] == "pep723":
        text = block_of(text)
    if order["sha256"] and sha256(text.encode()).hexdigest() != order["sha256"]:
        raise RefusedError(f"{name} is not the file that was asked for")
    return text


def _of_block(text: str) -> Wanted:
    block = text if text.startswith(_START) else block_of(text)
    try:
        said = tomllib.loads("\n".join(line[2:] for line in block.splitlines()[1:-1]))
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"the block of main.py that names its packages is no TOML: {error}") from error
    packages = said.get("dependencies", [])
    if not isinstance(packages, list) or not all(isinstance(package, str) for package in packages):
        raise RefusedError("the block of main.py that names its packages: `dependencies` is no list of texts")
    requires = said.get("requires-python", "")
    if not isinstance(requires, str):
        raise RefusedError("the block of main.py that names its packages: `requires-python` is no text")
    settings = said.get("tool", {}).get("uv", {})
    return Wanted(script=block if packages else "", where="".join(_indexes(settings)), requires=requires)


def _indexes(settings: dict[str, Any]) -> Iterator[str]:
    """Lines for the places of packages that `[tool.uv]` names; uv reads them itself in projects only."""
    for index in settings.get("index", []):
        yield f"{'--index-url' if index.get('default') else '--extra-index-url'} {_one_line(index['url'])}\n"
    if url := settings.get("index-url"):
        yield f"--index-url {_one_line(url)}\n"
    for url in settings.get("extra-index-url", []):
        yield f"--extra-index-url {_one_line(url)}\n"


def _one_line(url: object) -> str:
    if not isinstance(url, str) or any(character.isspace() for character in url):
        raise RefusedError("the block of main.py names an index that is no address")
    return url


def _of_lock(folder: str, lock: str, uv: Uv) -> Wanted:
    """What `uv.lock` says for the project itself, without its development groups."""
    with tempfile.TemporaryDirectory() as project:
        _copy(f"{folder}/pyproject.toml", f"{project}/pyproject.toml")
        with open(f"{project}/uv.lock", "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(lock)
        said = uv("export", "--project", project, *_EXPORT)
    return Wanted(text=without_options(said), locked=True, where=index_options(said))


_EXPORT = (
    *("--frozen", "--no-emit-project", "--no-default-groups", "--format", "requirements.txt"),
    *("--no-header", "--no-annotate", "--emit-index-url", "--quiet"),
)


def _copy(source: str, target: str) -> None:
    try:
        with open(source, "rb") as original, open(target, "wb") as copy:  # noqa: PTH123
            copy.write(original.read())
    except OSError as error:
        raise OutageError(f"pyproject.toml is not staged: {error.strerror}") from error
