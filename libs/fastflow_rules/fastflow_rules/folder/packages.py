"""What is wrong with how a folder names its packages, said before anything is prepared; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

from fastflow_events.message import Statement

from fastflow_rules.folder.entries import Entry
from fastflow_rules.folder.leaning import lines_of, refusals, toml
from fastflow_rules.folder.reasons import Unlocked
from fastflow_rules.folder.remarks import Installs, NoBinary, NoLock
from fastflow_rules.folder.requirements import named

_INSTALLS = re.compile(
    r"""(?m)^[^#\n]*(?:[!%]\s*(?:uv )?pip3? install|["']pip3?["'],\s*["']install["']"""
    r"""|(?:system|run|call|check_call|check_output|Popen)\(\s*f?["'][^"'\n]*\bpip3? install)"""
)
"""Installing from within a script or a cell, as far as one can tell by looking."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def impossible(files: Mapping[str, str], entries: Sequence[Entry]) -> list[Statement]:
    """Each reason why the packages can never be had."""
    found = named(files)
    if found.source == "none":
        return []
    unlocked = _unlocked(files) if found.source == "uv_lock" else ()
    return [*refusals(found.text, found.paths, entries, found.file), *unlocked]


def doubtful(files: Mapping[str, str], entry_point: str) -> list[Statement]:
    """Warnings: it works, and hardly as it was meant."""
    found = named(files)
    warnings: list[Statement] = []
    project = (toml(files.get("pyproject.toml", "")) or {}).get("project")
    if isinstance(project, dict) and project.get("dependencies") and found.source in {"none", "requirements"}:
        warnings.append(NoLock())
    if any(line.startswith("--no-binary") for line in lines_of(found.text)) and found.source.startswith("requirements"):
        warnings.append(NoBinary(found.file))
    if _INSTALLS.search(files.get(entry_point, "").replace('\\"', '"')):
        warnings.append(Installs(entry_point))
    return warnings


def _unlocked(files: Mapping[str, str]) -> Iterator[Statement]:
    """Packages that the project names and its lock has not heard of: `uv run` would add them to the lock."""
    project, lock = toml(files["pyproject.toml"]), toml(files["uv.lock"])
    project_table = (project or {}).get("project")
    packages = (lock or {}).get("package")
    if not isinstance(project_table, dict) or not isinstance(packages, list):
        return
    known = {_normal(str(package.get("name"))) for package in packages if isinstance(package, dict)}
    wanted = project_table.get("dependencies")
    for package in wanted if isinstance(wanted, list) else ():
        name = _NAME.match(package) if isinstance(package, str) else None
        if name and _normal(name[0]) not in known:
            yield Unlocked(name[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
