"""What an order asks for: from whichever of the places a pipeline names its packages in."""

import json
import os
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from fastflow_runner.entry.blocks import (
    SETTINGS,
    START,
    block_of,
    block_packages,
    local_paths,
    project_of,
    read_block,
    read_toml,
    table,
    unheeded,
)
from fastflow_runner.entry.folder import decoded, inside, read
from fastflow_runner.entry.requirements_text import (
    index_options,
    names_files,
    names_local,
    refusal,
    variable,
    without_editable,
)
from fastflow_runner.entry.uv import RefusedError, Uv

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OUTSIDE = "packages may lie in the pipeline's own folder only; {} names {}"


class NotStagedError(Exception):
    """The code is not where it was staged."""


class Wanted(NamedTuple):
    """Packages as uv is told of them."""

    text: str = ""
    """Requirements, one a line; a lock where `locked`; empty where something else has them."""
    script: str = ""
    """A PEP 723 block."""
    project: str = ""
    """A `pyproject.toml` that says what a block says."""
    lock_of: Literal["", "project", "script"] = ""
    """Whose lock lies in the folder: nothing is resolved."""
    locked: bool = False
    """The text is complete and pinned: nothing is resolved."""
    where: str = ""
    """Option lines that say where packages are found; a lock does not repeat them."""
    requires: str = ""
    """What the script says of its Python, such as `>=3.12`."""
    extra: str = ""
    """Packages that are needed besides, as requirements, one a line."""
    heeding: bool = False
    """Settings of uv count that stand in the folder, or in the project."""
    local: bool = False
    """Packages lie in the folder."""
    leaning: bool = False
    """Files in the folder say more: others that are included, constraints, wheels to be found."""

    @property
    def more(self) -> str:
        """What uv is told besides a script."""
        return self.where + self.extra

    @property
    def files(self) -> dict[str, str]:
        """Files that uv is shown in the place of the folder's own."""
        if self.project:
            return {"pyproject.toml": self.project}
        return {"main.py": self.script} if self.script else {}

    @property
    def leans(self) -> bool:
        """True when what is in the folder counts, too."""
        return bool(self.local or self.leaning or self.heeding or self.lock_of)

    @property
    def is_filed(self) -> bool:
        """True when only a lock that names each file can say where each package is from."""
        return bool(self.project or self.local or self.heeding or self.lock_of)


NOTHING = Wanted()


def wanted(order: dict[str, Any], uv: Uv) -> Wanted:
    """The packages of an order.

    Raises:
        RefusedError: what the pipeline says cannot be used.
        NotStagedError: its code is not there.
    """
    if order.get("leans") and not os.path.isdir(order["folder"]):  # noqa: PTH112 - os calls throughout
        raise NotStagedError("the folder that its packages lean on is not staged")
    found = _named(order, uv)
    named = block_packages(found.script or order["text"]) if order["source"] == "pep723" else found.text.splitlines()
    extra = unnamed(order.get("extra", ()), named)
    if extra and found.lock_of:
        _has_settings(order["folder"])  # they count where something is added to a lock
    return found._replace(extra="".join(f"{package}\n" for package in extra))


def unnamed(packages: Iterable[str], requirements: Iterable[str]) -> list[str]:
    """Those of the packages that no requirement names."""
    names = {_normal(requirement.strip()) for requirement in requirements}
    return [package for package in packages if _normal(package) not in names]


def _normal(package: str) -> str:
    name = _NAME.match(package)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else ""


def _named(order: dict[str, Any], uv: Uv) -> Wanted:
    source, folder = order["source"], order["folder"]
    if source == "none":
        return NOTHING
    text = order["text"] or _read(order)
    if source == "pep723":
        return _of_block(text, folder, uv)
    if source in {"uv_lock", "script_lock"}:
        return _of_lock(text, folder, is_script=source == "script_lock")
    if source not in {"requirements", "requirements_lock"}:
        raise RefusedError(f"packages from {source!r} cannot be installed by this version")
    if why := refusal(text, folder):
        raise RefusedError(why)
    text = without_editable(text)
    return Wanted(
        text=text,
        where=index_options(text),
        local=names_local(text),
        leaning=names_files(text),
        heeding=_has_settings(folder),
    )


def needs_building(text: str) -> bool:
    """True when a line of requirements, or of a block, names sources, of which only a build makes a wheel."""
    return any(_is_source(line) for line in text.splitlines()) or (text.startswith(START) and "git+" in text)


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
            text = decoded(file.read())
    except OSError as error:
        raise NotStagedError(f"{name} is not staged: {error.strerror}") from error
    if order["source"] != "pep723":
        return text
    text = block_of(_cells(text) if name.endswith(".ipynb") else text)
    if order["sha256"] and not order.get("leans") and sha256(text.encode()).hexdigest() != order["sha256"]:
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


def _of_block(text: str, folder: str, uv: Uv) -> Wanted:
    block = read_block(text)
    if not block.packages:
        return Wanted(requires=block.requires)
    if why := next(filter(None, map(variable, block.packages)), unheeded(block.uv, "`[tool.uv]` of the block")):
        raise RefusedError(why)
    paths = local_paths(block.packages, block.uv)
    _check_inside(paths, folder, "the block")
    if not block.uv:
        heeding = _has_settings(folder)
        return Wanted(script=block.text, requires=block.requires, local=bool(paths), heeding=heeding)
    uv.check_block(block.text)
    if _has_settings(folder):
        raise RefusedError(
            "settings of uv stand in the block and in a file beside it; write them in one place, the block"
        )
    return Wanted(project=project_of(block), requires=block.requires, local=bool(paths), heeding=True)


def _has_settings(folder: str) -> bool:
    """True when uv's own files in the folder decide what is installed.

    Raises:
        RefusedError: they cannot be heeded.
    """
    for name in ("uv.toml", "pyproject.toml"):
        text = read(folder, name)
        if text is None:
            continue
        document = read_toml(text, name)
        if name == "pyproject.toml":
            document = table(table(document, "tool"), "uv")
        if set(document) & SETTINGS or name == "uv.toml":
            if why := unheeded(document, name):
                raise RefusedError(why)
            _check_inside(local_paths([], {**document, "sources": {}}), folder, name)
            return True
    return False


def _check_inside(paths: list[str], folder: str, where: str) -> None:
    for path in paths:
        if not inside(folder, path):
            raise RefusedError(_OUTSIDE.format(where, path))


def _of_lock(lock: str, folder: str, *, is_script: bool) -> Wanted:
    """The lock of a project, or of the script alone."""
    if not is_script and read(folder, "pyproject.toml") is None:
        raise NotStagedError("pyproject.toml is not staged")
    try:
        packages = read_toml(lock, "the lock").get("package")
    except RefusedError:
        packages = None  # uv says best what is wrong with it
    listed = packages if isinstance(packages, list) else ()
    sources = [table(package, "source") for package in listed if isinstance(package, dict)]
    places = [place for source in sources for place in source.values() if isinstance(place, str)]
    _check_inside([place for place in places if "://" not in place], folder, "the lock")
    return Wanted(lock_of="script" if is_script else "project")
