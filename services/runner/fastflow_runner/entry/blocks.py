"""The PEP 723 block of a script: what it names, and what it says of uv."""

import tomllib
from typing import Any, NamedTuple

from fastflow_runner.entry.requirements_text import local_path, place_path, variable
from fastflow_runner.entry.uv import RefusedError

START = "# /// script"
_END = "# ///"
_STRUCTURE = {"sources", "workspace", "managed", "package", "default-groups", "dependency-groups", "dev-dependencies"}
_STRUCTURE |= {"build-backend", "conflicts", "cache-keys"}
_PLACES = {"index", "index-url", "extra-index-url", "no-index", "find-links", "index-strategy", "torch-backend"}
_CHOICES = {"resolution", "prerelease", "prerelease-package", "fork-strategy", "exclude-newer", "exclude-newer-package"}
_CHOICES |= {"override-dependencies", "exclude-dependencies", "constraint-dependencies", "dependency-metadata"}
_CHOICES |= {"environments", "required-environments", "required-version", "minimum-libc-version"}
_CHOICES |= {"no-sources", "no-sources-package"}
_BUILDING = {"no-build", "no-build-package", "no-binary", "no-binary-package", "build-constraint-dependencies"}
_BUILDING |= {"config-settings", "config-settings-package", "extra-build-dependencies", "extra-build-variables"}
_BUILDING |= {"no-build-isolation", "no-build-isolation-package", "require-build-hashes"}
_HABITS = {"link-mode", "compile-bytecode", "upgrade", "upgrade-package", "reinstall", "reinstall-package", "no-cache"}
_HABITS |= {
    "concurrent-downloads",
    "concurrent-builds",
    "concurrent-installs",
    "preview",
    "preview-features",
    "offline",
}
_HABITS |= {"python-preference", "python-downloads", "system-certs", "native-tls", "add-bounds", "audit", "publish-url"}
_HABITS |= {"check-url", "trusted-publishing"}
SETTINGS = _PLACES | _CHOICES | _BUILDING
"""What decides which packages there are."""
_KNOWN = _STRUCTURE | SETTINGS | _HABITS
"""Not in it is what would let a pipeline reach further than its own packages: proxies, mirrors, folders, keyrings."""


class Block(NamedTuple):
    """A block that could be read."""

    text: str
    packages: list[str]
    requires: str
    """What it says of its Python, such as `>=3.12`."""
    uv: dict[str, Any]
    """Its `[tool.uv]`."""


def block_of(source: str) -> str:
    """The PEP 723 block of a script as it stands there; empty without exactly one."""
    lines = source.removeprefix("\ufeff").splitlines()
    starts = [number for number, line in enumerate(lines) if line.rstrip() == START]
    if len(starts) != 1:
        return ""
    end = 0
    for number in range(starts[0] + 1, len(lines)):
        if lines[number] != "#" and not lines[number].startswith("# "):
            break
        if lines[number].rstrip() == _END:
            end = number
    return "\n".join(lines[starts[0] : end + 1]) + "\n" if end else ""


def read_block(text: str) -> Block:
    """What a block says.

    Raises:
        RefusedError: it cannot be read.
    """
    block = text if text.startswith(START) else block_of(text)
    document = read_toml(body_of(block), "the block that names its packages")
    packages = document.get("dependencies", [])
    if not isinstance(packages, list) or not all(isinstance(package, str) for package in packages):
        raise RefusedError("the block that names its packages: `dependencies` is no list of texts")
    requires = document.get("requires-python", "")
    if not isinstance(requires, str):
        raise RefusedError("the block that names its packages: `requires-python` is no text")
    tool = document.get("tool", {})
    uv = tool.get("uv", {}) if isinstance(tool, dict) else {}
    if not isinstance(tool, dict) or not isinstance(uv, dict):
        raise RefusedError("the block that names its packages: `tool.uv` is no table")
    return Block(block, packages, requires, uv)


def read_toml(text: str, what: str) -> dict[str, Any]:
    """What a file says.

    Raises:
        RefusedError: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RefusedError(f"{what} is no TOML: {error}") from error


def table(parent: dict[str, Any], name: str) -> dict[str, Any]:
    """The table of that name; empty where there is none."""
    found = parent.get(name)
    return found if isinstance(found, dict) else {}


def block_packages(text: str) -> list[str]:
    """What a block names, each as a requirement; nothing where it cannot be read."""
    try:
        return list(read_block(text).packages)
    except RefusedError:
        return []


def body_of(block: str) -> str:
    """The TOML in a block."""
    return "\n".join(line[2:] for line in block.splitlines()[1:-1])


def project_of(block: Block) -> str:
    """A `pyproject.toml` that asks for the same: only there does uv heed all of `[tool.uv]` for this one platform.

    Raises:
        RefusedError: the block is written in a way that would say something else there.
    """
    text = f'[project]\nname = "the-script"\nversion = "0"\n{body_of(block.text)}\n'
    document = read_toml(text, "the block that names its packages")
    project = document["project"]
    if table(table(document, "tool"), "uv") != block.uv or project.get("dependencies", []) != block.packages:
        raise RefusedError("the block that names its packages: write `[tool.uv]` as a table of its own, after the rest")
    return text


def unheeded(settings: dict[str, Any], where: str) -> str | None:
    """A sentence on what of uv's settings cannot be heeded; None when all can."""
    unknown = sorted(set(settings) - _KNOWN)
    if unknown:
        return f"{where} says `{unknown[0]}`, which a pipeline cannot decide; it is set for the runner, or left out"
    return next(filter(None, (variable(text) for text in _texts(settings))), None)


def local_paths(packages: list[str], settings: dict[str, Any]) -> list[str]:
    """Paths in the folder that packages come from."""
    by_name = settings.get("sources", {})
    sources = [each for value in by_name.values() for each in _list(value)] if isinstance(by_name, dict) else []
    places = [index.get("url") for index in _list(settings.get("index")) if isinstance(index, dict)]
    places += [*_list(settings.get("find-links")), *_list(settings.get("extra-index-url")), settings.get("index-url")]
    paths = [str(source["path"]) for source in sources if isinstance(source, dict) and "path" in source]
    paths += [place for place in places if isinstance(place, str)]
    return [path for path in (*map(local_path, packages), *map(place_path, paths)) if path is not None]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in [str(key), *_texts(each)]]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
