"""The part of each package's README that names its rooms and modules, written from the code."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from generated_part import ROOT, bring_up_to_date, renewed


def packages() -> list[Path]:
    """The folder of each package's code."""
    return sorted(path.parent for path in ROOT.glob("*/*/fastflow_*/__init__.py"))


def sentence(module: Path) -> str:
    """What a module says that it is, in one line."""
    doc = ast.get_docstring(ast.parse(module.read_bytes())) or ""
    return doc.partition("\n")[0].rstrip(" .:;").replace("|", "\\|")


def room_of(name: str, package: Path) -> str:
    """The room that the module `name` lies in: `core` for `fastflow_runner.core.names`; the other package's name."""
    root, *parts = name.split(".")
    if root != package.name:
        return root
    folder = package.joinpath(*parts)
    while parts and not folder.is_dir():
        parts, folder = parts[:-1], folder.parent
    return "/".join(parts)


def imports(module: Path, package: Path) -> Iterator[str]:
    """Rooms of this package and names of our other packages that a module imports from."""
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fastflow_"):
            for alias in node.names:
                yield room_of(f"{node.module}.{alias.name}", package)


def room_lines(folder: Path, package: Path) -> Iterator[str]:
    """Heading, meaning, imports and modules of one room."""
    modules = sorted(module for module in folder.glob("*.py") if module.name != "__init__.py")
    own = folder.relative_to(package).as_posix()
    rooms = {room for module in folder.glob("*.py") for room in imports(module, package)} - {own}
    yield f"### `{own}/`" if own != "." else f"### `{package.name}`"
    yield ""
    yield f"{sentence(folder / '__init__.py')}."
    rooms -= {""} if own == "." else set()
    names = ", ".join(f"`{room or package.name}`" for room in sorted(rooms))
    yield f"Imports {names}." if names else "Imports nothing of ours."
    if modules:
        yield from ("", "| module | holds |", "|---|---|")
        for module in modules:
            yield f"| [{module.stem}]({package.name}/{module.relative_to(package).as_posix()}) | {sentence(module)} |"
    yield ""


def section(package: Path) -> str:
    """All rooms of a package."""
    folders = sorted({module.parent for module in package.rglob("*.py")})
    return "\n".join(line for folder in folders for line in room_lines(folder, package)).rstrip()


if __name__ == "__main__":
    readmes = {package: package.parent / "README.md" for package in packages()}
    written = {page: renewed(page, "modules", section(package)) for package, page in readmes.items()}
    sys.exit(bring_up_to_date(written, check="--check" in sys.argv))
