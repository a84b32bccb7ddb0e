"""What an order asks for: from whichever of the four places a pipeline names its packages in."""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fastflow_runner.entry.requirements_text import index_options, refusal, without_options
from fastflow_runner.entry.uv import RefusedError, Uv

_START = "# /// script"
_END = "# ///"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class NotStagedError(Exception):
    """The code is not where it was staged."""


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
    extra: str = ""
    """Packages that are needed besides, as requirements, one a line; a lock has them in it."""

    @property
    def more(self) -> str:
        """What uv is told besides a script."""
        return self.where + self.extra


def wanted(order: dict[str, Any], uv: Uv) -> Wanted:
    """The packages of an order.

    Raises:
        RefusedError: what the pipeline says cannot be used.
        NotStagedError: its code is not there.
    """
    found = _named(order, uv)
    extra = unnamed(order.get("extra", ()), block_packages(found.script) if found.script else found.text.splitlines())
    if not extra:
        return found
    # What a lock does not hold has to be resolved, with the lock's own versions.
    text = found.where + found.text if found.locked else found.text
    return found._replace(text=text, extra="".join(f"{package}\n" for package in extra), locked=False)


def unnamed(packages: Iterable[str], requirements: Iterable[str]) -> list[str]:
    """Those of the packages that no requirement names."""
    names = {_normal(requirement.strip()) for requirement in requirements}
    return [package for package in packages if _normal(package) not in names]


def _normal(package: str) -> str:
    name = _NAME.match(package)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else ""


def _named(order: dict[str, Any], uv: Uv) -> Wanted:
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


def block_packages(text: str) -> list[str]:
    """What a block names, each as a requirement; nothing where it cannot be read."""
    try:
        return list(_block(text)[1])
    except RefusedError:
        return []


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
        raise NotStagedError(f"{name} is not staged: {error.strerror}") from error
    if order["source"] == "pep723":
        text = block_of(_cells(text) if name.endswith(".ipynb") else text)
    if order["sha256"] and sha256(text.encode()).hexdigest() != order["sha256"]:
        raise RefusedError(f"{name} is not the file that was asked for")
    return text


def _cells(notebook: str) -> str:
    """The text of the code cell that names packages; empty without exactly one."""
    try:
        cells = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
        texts = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedError(f"the notebook that names its packages cannot be read: {error!r}") from error
    named = [text for text in texts if block_of(text)]
    return named[0] if len(named) == 1 else ""


def _of_block(text: str) -> Wanted:
    block, packages, requires, settings = _block(text)
    return Wanted(script=block if packages else "", where="".join(_indexes(settings)), requires=requires)


def _block(text: str) -> tuple[str, list[str], str, dict[str, Any]]:
    """The block itself, its packages, what it says of its Python, and of uv."""
    block = text if text.startswith(_START) else block_of(text)
    try:
        said = tomllib.loads("\n".join(line[2:] for line in block.splitlines()[1:-1]))
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"the block that names its packages is no TOML: {error}") from error
    packages = said.get("dependencies", [])
    if not isinstance(packages, list) or not all(isinstance(package, str) for package in packages):
        raise RefusedError("the block that names its packages: `dependencies` is no list of texts")
    requires = said.get("requires-python", "")
    if not isinstance(requires, str):
        raise RefusedError("the block that names its packages: `requires-python` is no text")
    return block, packages, requires, said.get("tool", {}).get("uv", {})


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
        raise RefusedError("the block that names its packages has an index that is no address")
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
        raise NotStagedError(f"pyproject.toml is not staged: {error.strerror}") from error
